"""The organisations of a hospital program: what they are, who practises where at which price, who verifies them."""
