"""Attacks: one file each. Of most real cases nobody published counts and rates; every number is drawn from the range the file declares."""
