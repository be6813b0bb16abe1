-- An address that the user's trust file covers. Trusted is evidence, not a pass.
CREATE TABLE trusted (
  ip VARCHAR NOT NULL,            -- an address seen in the events
  note VARCHAR NOT NULL,          -- the note of the entry that covers it
  is_exercise BOOLEAN NOT NULL    -- it is that of an exercise that was announced
);
