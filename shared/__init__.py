"""What two services need: the dataset, identifiers, code lists, formats, contracts and the shells' tools."""
