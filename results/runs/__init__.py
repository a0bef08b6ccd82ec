"""Inside runs: their seconds, their disks and their CPUs."""
