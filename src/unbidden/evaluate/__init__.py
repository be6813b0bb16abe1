"""Evaluate: how well detections do, ours and published ones, on made-up organisations whose truth is known."""
