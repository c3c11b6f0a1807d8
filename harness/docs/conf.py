# Builds the subsystem's chapters alone, with the kernel's own extensions.
import os
import sys

srctree = os.environ["srctree"]
sys.path.insert(0, os.path.join(srctree, "Documentation/sphinx"))
extensions = ["kerneldoc", "automarkup"]
kerneldoc_bin = os.path.join(srctree, "scripts/kernel-doc")
kerneldoc_srctree = srctree
primary_domain = "c"
highlight_language = "none"
root_doc = "index"
project = "dma-buf"
html_theme = "classic"
c_id_attributes = ["__user", "__rcu", "__iomem", "__must_check", "__force", "__counted_by"]
