"""The network registry: who takes part, with which address and keys; asked by signed lookups."""
