"""Driving fio: job rendering, running, and the fio parser."""
