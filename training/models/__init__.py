"""What is fitted: candidates, their search, calibration and own estimators."""
