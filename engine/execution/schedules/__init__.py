"""The family of schedules: how much of a parent should be done by now, one file each, all of one form (`course`)."""
