"""A store in each database, with each kind of engine."""

import pytest

from .database import DRIVERS, Database, database_url, postgres_server


@pytest.fixture(scope="session")
def postgres():
    """The folder of the socket of a PostgreSQL server."""
    with postgres_server() as socket:
        yield socket


@pytest.fixture
def make_database(request, tmp_path):
    """Make the database of a driver, without the table."""
    made = []

    def make(driver):
        socket = None if "sqlite" in driver else request.getfixturevalue("postgres")
        database = Database(driver, database_url(driver, tmp_path, socket))
        made.append(database)
        database.execute("DROP TABLE IF EXISTS nous_purchases")
        return database

    yield make
    for database in made:
        database.close()


@pytest.fixture(params=DRIVERS)
def database(request, make_database):
    """A database with an empty table."""
    database = make_database(request.param)
    database.run(database.store.create_table())
    return database


@pytest.fixture
def run(database):
    return database.run


@pytest.fixture
def store(database):
    return database.store
