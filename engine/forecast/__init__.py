"""Features, the stepped model, its baseline and the watch on its skill. The running engine imports no torch."""
