"""The safety checks: what must hold of a disk before anything is written to it, decided in one place."""
