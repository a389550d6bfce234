"""MailUp's REST operations, one file a resource."""
