"""Attacks: one file each, families and real cases. Of most real cases nobody published counts and rates: every number is drawn from a declared range."""
