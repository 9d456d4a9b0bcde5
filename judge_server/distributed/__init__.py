"""The server and bulk scoring on a Ray cluster: Ray Serve's deployments, and Ray Data's workers."""
