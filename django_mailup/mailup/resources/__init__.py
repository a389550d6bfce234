"""The resources of MailUp's REST API, one in each module: its records, operations and methods."""
