"""The shipping desk: releases that wait, waves, papers, scans, the stop list."""
