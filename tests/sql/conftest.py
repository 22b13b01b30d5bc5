"""A store in each database, with each kind of engine."""

import pytest

from .database import DRIVERS, Database, database_url, postgres_server


@pytest.fixture(scope="session")
def postgres():
    """The folder of the socket of a PostgreSQL server."""
    with postgres_server() as socket:
        yield socket


@pytest.fixture(scope="session")
def databases():
    """Those with a table, by driver: to connect, and to look what a table lacks, takes longer than most tests."""
    ready = {}
    yield ready
    close_all(ready)


def close_all(ready):
    while ready:
        ready.popitem()[1].close()


@pytest.fixture
def make_database(request, tmp_path, databases):
    """Make the database of a driver, without the table."""
    made = []

    def make(driver):
        # Drivers of PostgreSQL share the database, and remember what tables are like.
        close_all(databases)
        socket = None if "sqlite" in driver else request.getfixturevalue("postgres")
        database = Database(driver, database_url(driver, tmp_path, socket))
        made.append(database)
        database.execute("DROP TABLE IF EXISTS nous_purchases")
        return database

    yield make
    for database in made:
        database.close()


@pytest.fixture(params=DRIVERS)
def database(request, databases, tmp_path_factory):
    """A database with an empty table."""
    driver = request.param
    if driver not in databases:
        socket = None if "sqlite" in driver else request.getfixturevalue("postgres")
        databases[driver] = Database(driver, database_url(driver, tmp_path_factory.mktemp(driver), socket))
        databases[driver].run(databases[driver].store.create_table())
    database = databases[driver]
    database.execute("DELETE FROM nous_purchases")
    yield database
    database.close_engines(but=1)


@pytest.fixture
def run(database):
    return database.run


@pytest.fixture
def store(database):
    return database.store
