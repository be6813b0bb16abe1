-- One input of a scan: a file, a member of a folder, or standard input.
CREATE TABLE source (
  source INTEGER NOT NULL,        -- number of the input, from 1, in the order of the sorted paths
  path VARCHAR NOT NULL,          -- the input as given or found
  provider VARCHAR,               -- whose rows it holds, separated by commas; NULL when none was recognised
  form VARCHAR NOT NULL,          -- how the file is laid out: json lines, json document, csv, text lines, ...
  rows BIGINT NOT NULL,           -- records found, readable or not
  events BIGINT NOT NULL,         -- events that its rows gave; one that was read twice is in the event table once
  repeated BIGINT NOT NULL        -- of these, events that the event table does not hold a second time
);
