"""The Python API: what `import bench` offers. Its names are handed on by `bench` and loaded when they are used."""
