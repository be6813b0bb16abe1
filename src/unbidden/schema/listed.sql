-- An address that one of the user's lists covers. A listed address is evidence only where it is rare among the people.
CREATE TABLE listed (
  ip VARCHAR NOT NULL,            -- an address seen in the events
  kind VARCHAR NOT NULL           -- hosting, proxy, vpn or tor
);
