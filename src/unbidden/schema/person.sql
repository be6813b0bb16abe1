-- One person, whatever the providers call them.
CREATE TABLE person (
  person VARCHAR NOT NULL,        -- the name in people.csv, else the address, else the short name
  department VARCHAR,             -- from people.csv
  is_privileged BOOLEAN NOT NULL, -- from people.csv
  is_service BOOLEAN NOT NULL,    -- a program's account: from people.csv, or a computer's (its name ends in $)
  time_zone VARCHAR,              -- IANA name, from people.csv
  names VARCHAR[] NOT NULL,       -- every spelling that was joined
  could_be VARCHAR[]              -- for a short name that fits several people: who it could be; it is merged with none of them
);
