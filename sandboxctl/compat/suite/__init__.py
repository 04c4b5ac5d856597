"""The test suite of an application, natively and in the sandbox: what differs, of which class, and the first call behind it."""
