"""`python -m nous_billing`: the command `nous-billing`."""

from nous_billing.cli import main

if __name__ == "__main__":
    main()
