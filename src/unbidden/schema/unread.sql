-- Something that could not be read. A result, not a log line: nothing is lost in silence.
CREATE TABLE unread (
  source INTEGER NOT NULL,        -- number of the input
  path VARCHAR NOT NULL,          -- the input as given or found
  line BIGINT,                    -- line number from 1 (row number in a CSV file, record number in a JSON document); NULL when the whole input is meant
  why VARCHAR NOT NULL,           -- what is wrong with it, in words
  text VARCHAR                    -- the first 200 characters of what was there
);
