"""Owner-only files, replaced atomically and durably, under a lock for all threads and processes."""
