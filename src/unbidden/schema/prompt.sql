-- One challenge that one person could see or hear, and its fate, whoever logged it.
CREATE TABLE prompt (
  prompt_id VARCHAR NOT NULL,     -- deterministic: made of the first event's id
  person VARCHAR NOT NULL,        -- who was asked
  provider VARCHAR NOT NULL,      -- who asked (the log with the surest answer, when several saw it)
  sent_at TIMESTAMP NOT NULL,     -- when it was sent (for an implied prompt: the earliest moment the log knows)
  fate VARCHAR NOT NULL,          -- approved, denied, reported, wrong_number, wrong_code, cancelled, unanswered, blocked, failed, pending
  certainty VARCHAR NOT NULL,     -- explicit, inferred or ambiguous
  fate_at TIMESTAMP,              -- when the fate was known; NULL while pending
  factor VARCHAR NOT NULL,        -- push, number_push, sms, call, email
  has_number BOOLEAN,             -- number matching was asked for
  intent VARCHAR,                 -- login, recovery, enrolment
  is_implied BOOLEAN NOT NULL,    -- no send was logged: the answer implies it
  sends INTEGER NOT NULL,         -- send rows behind it (one per enrolled phone); 0 when implied
  is_superseded BOOLEAN NOT NULL, -- unanswered, but the same sign-in was completed another way before the time ran out
  flow_id VARCHAR, session_id VARCHAR, request_id VARCHAR,
  app VARCHAR,
  ip VARCHAR, network VARCHAR, asn BIGINT, org VARCHAR, country VARCHAR, city VARCHAR, lat DOUBLE, lon DOUBLE,
  client VARCHAR, device VARCHAR, is_managed BOOLEAN, is_proxy BOOLEAN,
  answer_ip VARCHAR, answer_country VARCHAR, answer_city VARCHAR, answer_lat DOUBLE, answer_lon DOUBLE, answer_device VARCHAR,
  risk VARCHAR,                   -- the vendor's verdict on the sign-in
  code VARCHAR,                   -- the vendor's code of the answer
  events VARCHAR[] NOT NULL       -- ids of the events that make it, in time order
);
