"""The network's own processes: the gateway and the network registry."""
