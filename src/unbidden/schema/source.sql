-- One input of a scan: a file, a member of a folder, or standard input.
CREATE TABLE source (
  source INTEGER NOT NULL,        -- number of the input, from 1, in the order of the sorted paths
  path VARCHAR NOT NULL,          -- the input as given or found
  form VARCHAR NOT NULL,          -- how the rows were wrapped: json lines, array, csv, splunk, ...
  rows BIGINT NOT NULL            -- records found, readable or not
);
