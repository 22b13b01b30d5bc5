"""A web service that sells credits: several processes on one PostgreSQL database. See docs/guide/services.md."""
