"""Traps: harmless mechanisms that look like attacks to somebody who only counts. One file each; every number from the range the file declares."""
