"""What the tests do not notice: the code is broken at random places, one at a time."""
