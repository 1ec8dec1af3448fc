"""Where a server is and what it says: addresses, connections, control plane, server-sent events."""
