-- One detection that fired: its numbers, its weight, and the events that prove it.
CREATE TABLE signal (
  detection VARCHAR NOT NULL,     -- the detection's file name
  version VARCHAR NOT NULL,       -- first digits of the hash of its files
  person VARCHAR NOT NULL,        -- whom it is about
  fired_at TIMESTAMP NOT NULL,    -- when its evidence was complete (event time)
  prompt_id VARCHAR,              -- the prompt it is about, if it is about one
  phase VARCHAR,                  -- asked or ended: the instant of that prompt
  evidence VARCHAR NOT NULL,      -- the evidence group; of each group only the strongest signal counts
  weight DOUBLE NOT NULL,         -- log-odds; negative is calm
  carries BOOLEAN NOT NULL,       -- it goes on counting for the rest of the incident, not for its own prompt only
  founds BOOLEAN NOT NULL,        -- it makes an incident even where no prompt stands out
  numbers VARCHAR NOT NULL,       -- JSON object of the numbers behind it
  events VARCHAR[] NOT NULL       -- ids of the events that prove it
);
