"""Side by side with peers and with the bare loop: ``make bench``."""
