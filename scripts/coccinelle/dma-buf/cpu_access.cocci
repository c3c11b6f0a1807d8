// SPDX-License-Identifier: GPL-2.0-only
/// An importer that reads or writes a buffer through the address that
/// dma_buf_vmap() gave it brackets that by dma_buf_begin_cpu_access() and
/// dma_buf_end_cpu_access(). Without them it may see what an older cache line
/// holds, and devices may not see what it wrote.
///
//# Looked at are functions that map a buffer and use the address themselves
//# before they unmap it, or after they ended an access, or get it from a function
//# of the same file that maps; and functions that begin an access and end it on
//# some of the ways to their end only.
//#
//# Not seen: an address that is stored and used by another function, which is
//# what most drivers do; which direction was named; an access that the callers
//# bracket.
//
// Confidence: Moderate
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@bracketed exists@
expression d;
position v;
@@

(
dma_buf_begin_cpu_access(d, ...)
|
drm_gem_fb_begin_cpu_access(...)
)
... when != dma_buf_end_cpu_access(d, ...)
\(dma_buf_vmap@v\|dma_buf_vmap_unlocked@v\)(...)

@used depends on context || org || report exists@
expression d, m, E;
identifier fn =~ "^(iosys_map|dma_buf_map)_(memcpy_to|memcpy_from|memset)$";
identifier rw =~ "^(iosys_map|dma_buf_map)_(rd|wr|rd_field|wr_field)$";
identifier mem =~ "^(mem(cpy|set|set32|set64|move|cmp|chr|chr_inv|_is_zero|cpy_toio|cpy_fromio|set_io)|str(n?cpy|scpy|n?cmp|n?len)|copy_(from|to)_user|(io)?(read|write)[0-9bwlq]+(be|_relaxed|_rep)?|print_hex_dump(_bytes|_debug)?|crc32(_le|_be|c)?)$";
identifier f;
type T;
position v != bracketed.v;
position q;
@@

* \(dma_buf_vmap@v\|dma_buf_vmap_unlocked@v\)(d, &m)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
(
* fn@q(..., &m, ...)
|
* rw@q(&m, ...)
|
* mem@q(..., <+... m.vaddr ...+>, ...)
|
* mem@q(..., <+... m.vaddr_iomem ...+>, ...)
|
* *(T *)m.vaddr@q
|
* ((T *)m.vaddr)@q[E]
|
* ((T *)m.vaddr)->f@q
)

@through depends on context || org || report exists@
expression d, m, E;
local idexpression a;
identifier f;
identifier mem =~ "^(mem(cpy|set|set32|set64|move|cmp|chr|chr_inv|_is_zero|cpy_toio|cpy_fromio|set_io)|str(n?cpy|scpy|n?cmp|n?len)|copy_(from|to)_user|(io)?(read|write)[0-9bwlq]+(be|_relaxed|_rep)?|print_hex_dump(_bytes|_debug)?|crc32(_le|_be|c)?)$";
position v != bracketed.v;
position q;
@@

* \(dma_buf_vmap@v\|dma_buf_vmap_unlocked@v\)(d, &m)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
a = \(<+... m.vaddr ...+>\|<+... m.vaddr_iomem ...+>\)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
    when != a = E
(
* mem@q(..., <+... a ...+>, ...)
|
* a[E]@q
|
* a->f@q
|
* *a@q
)

// The same where the map is somebody else's.
@used_pointer depends on context || org || report exists@
expression d, E;
idexpression m;
identifier fn =~ "^(iosys_map|dma_buf_map)_(memcpy_to|memcpy_from|memset)$";
identifier rw =~ "^(iosys_map|dma_buf_map)_(rd|wr|rd_field|wr_field)$";
identifier mem =~ "^(mem(cpy|set|set32|set64|move|cmp|chr|chr_inv|_is_zero|cpy_toio|cpy_fromio|set_io)|str(n?cpy|scpy|n?cmp|n?len)|copy_(from|to)_user|(io)?(read|write)[0-9bwlq]+(be|_relaxed|_rep)?|print_hex_dump(_bytes|_debug)?|crc32(_le|_be|c)?)$";
identifier f;
type T;
position v != bracketed.v;
position q;
@@

* \(dma_buf_vmap@v\|dma_buf_vmap_unlocked@v\)(d, m)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
(
* fn@q(..., m, ...)
|
* rw@q(m, ...)
|
* mem@q(..., <+... m->vaddr ...+>, ...)
|
* mem@q(..., <+... m->vaddr_iomem ...+>, ...)
|
* *(T *)m->vaddr@q
|
* ((T *)m->vaddr)@q[E]
|
* ((T *)m->vaddr)->f@q
)

@through_pointer depends on context || org || report exists@
expression d, E;
idexpression m;
local idexpression a;
identifier f;
identifier mem =~ "^(mem(cpy|set|set32|set64|move|cmp|chr|chr_inv|_is_zero|cpy_toio|cpy_fromio|set_io)|str(n?cpy|scpy|n?cmp|n?len)|copy_(from|to)_user|(io)?(read|write)[0-9bwlq]+(be|_relaxed|_rep)?|print_hex_dump(_bytes|_debug)?|crc32(_le|_be|c)?)$";
position v != bracketed.v;
position q;
@@

* \(dma_buf_vmap@v\|dma_buf_vmap_unlocked@v\)(d, m)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
a = \(<+... m->vaddr ...+>\|<+... m->vaddr_iomem ...+>\)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
    when != a = E
(
* mem@q(..., <+... a ...+>, ...)
|
* a[E]@q
|
* a->f@q
|
* *a@q
)

// The address outlives the access.
@after depends on context || org || report exists@
expression d, m, E;
identifier fn =~ "^(iosys_map|dma_buf_map)_(memcpy_to|memcpy_from|memset)$";
identifier rw =~ "^(iosys_map|dma_buf_map)_(rd|wr|rd_field|wr_field)$";
identifier mem =~ "^(mem(cpy|set|set32|set64|move|cmp|chr|chr_inv|_is_zero|cpy_toio|cpy_fromio|set_io)|str(n?cpy|scpy|n?cmp|n?len)|copy_(from|to)_user|(io)?(read|write)[0-9bwlq]+(be|_relaxed|_rep)?|print_hex_dump(_bytes|_debug)?|crc32(_le|_be|c)?)$";
type T;
position v, q;
@@

\(dma_buf_vmap\|dma_buf_vmap_unlocked\)(d, &m)
... when any
* dma_buf_end_cpu_access@v(d, ...)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != dma_buf_vmap(...)
    when != dma_buf_vmap_unlocked(...)
    when != dma_buf_vunmap(...)
    when != dma_buf_vunmap_unlocked(...)
(
* fn@q(..., &m, ...)
|
* rw@q(&m, ...)
|
* mem@q(..., <+... m.vaddr ...+>, ...)
|
* mem@q(..., <+... m.vaddr_iomem ...+>, ...)
|
* *(T *)m.vaddr@q
|
* ((T *)m.vaddr)@q[E]
)

// A function of the file maps, and returns the address to one that uses it.
@mapper exists@
identifier h;
expression m;
position v != bracketed.v;
@@

  h(...)
  {
	... when any
	\(dma_buf_vmap@v\|dma_buf_vmap_unlocked@v\)(..., \(m\|&m\))
	... when any
	\(m->vaddr\|m.vaddr\)
	... when any
  }

@brackets@
identifier mapper.h;
@@

  h(...)
  {
	<+...
	\(dma_buf_begin_cpu_access\|drm_gem_fb_begin_cpu_access\)(...)
	...+>
  }

@begun exists@
identifier mapper.h;
position p;
@@

\(dma_buf_begin_cpu_access\|drm_gem_fb_begin_cpu_access\)(...)
... when != dma_buf_end_cpu_access(...)
h@p(...)

@returned depends on mapper && !brackets && (context || org || report) exists@
identifier mapper.h;
idexpression a;
expression E;
identifier f;
identifier mem =~ "^(mem(cpy|set|set32|set64|move|cmp|chr|chr_inv|_is_zero|cpy_toio|cpy_fromio|set_io)|str(n?cpy|scpy|n?cmp|n?len)|copy_(from|to)_user|(io)?(read|write)[0-9bwlq]+(be|_relaxed|_rep)?|print_hex_dump(_bytes|_debug)?|crc32(_le|_be|c)?)$";
position v != begun.p;
position q;
@@

* a = h@v(...)
... when != dma_buf_begin_cpu_access(...)
    when != drm_gem_fb_begin_cpu_access(...)
    when != a = E
(
* mem@q(..., <+... a ...+>, ...)
|
* a[E]@q
|
* a->f@q
|
* *a@q
)

@ends exists@
expression d;
position p;
@@

dma_buf_begin_cpu_access@p(d, ...)
... when any
dma_buf_end_cpu_access(d, ...)

@closing@
position q;
@@

return@q <+... dma_buf_end_cpu_access(...) ...+>;

@unended depends on context || org || report exists@
expression d, r, E;
statement S;
position p = ends.p;
position q != closing.q;
@@

* r = dma_buf_begin_cpu_access@p(d, ...)
... when != dma_buf_end_cpu_access(d, ...)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\)) S
... when != dma_buf_end_cpu_access(d, ...)
    when any
* return@q ...;

@unended_test depends on context || org || report exists@
expression d;
statement S;
position p = ends.p;
position q != closing.q;
@@

* if (\(unlikely(dma_buf_begin_cpu_access@p(d, ...))\|unlikely(dma_buf_begin_cpu_access@p(d, ...) < 0)\)) S
... when != dma_buf_end_cpu_access(d, ...)
    when any
* return@q ...;

@script:python depends on report@
v << after.v;
q << after.q;
@@

msg = "ERROR: CPU access after the dma_buf_end_cpu_access of line %s" % (v[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
v << after.v;
q << after.q;
@@

cocci.print_main("end of the access", v)
cocci.print_secs("use of the address", q)

@script:python depends on report@
v << used.v;
q << used.q;
@@

msg = "ERROR: CPU access without dma_buf_begin_cpu_access; mapped on line %s" % (v[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
v << through.v;
q << through.q;
@@

msg = "ERROR: CPU access without dma_buf_begin_cpu_access; mapped on line %s" % (v[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
v << used_pointer.v;
q << used_pointer.q;
@@

msg = "ERROR: CPU access without dma_buf_begin_cpu_access; mapped on line %s" % (v[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
v << through_pointer.v;
q << through_pointer.q;
@@

msg = "ERROR: CPU access without dma_buf_begin_cpu_access; mapped on line %s" % (v[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
v << returned.v;
q << returned.q;
h << mapper.h;
@@

msg = "ERROR: CPU access without dma_buf_begin_cpu_access; mapped by %s()" % (h)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << unended.p;
q << unended.q;
@@

msg = "ERROR: missing dma_buf_end_cpu_access; begun on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << unended_test.p;
q << unended_test.q;
@@

msg = "ERROR: missing dma_buf_end_cpu_access; begun on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
v << used.v;
q << used.q;
@@

cocci.print_main("mapped", v)
cocci.print_secs("used without dma_buf_begin_cpu_access", q)

@script:python depends on org@
v << through.v;
q << through.q;
@@

cocci.print_main("mapped", v)
cocci.print_secs("used without dma_buf_begin_cpu_access", q)

@script:python depends on org@
v << used_pointer.v;
q << used_pointer.q;
@@

cocci.print_main("mapped", v)
cocci.print_secs("used without dma_buf_begin_cpu_access", q)

@script:python depends on org@
v << through_pointer.v;
q << through_pointer.q;
@@

cocci.print_main("mapped", v)
cocci.print_secs("used without dma_buf_begin_cpu_access", q)

@script:python depends on org@
v << returned.v;
q << returned.q;
@@

cocci.print_main("mapped", v)
cocci.print_secs("used without dma_buf_begin_cpu_access", q)

@script:python depends on org@
p << unended.p;
q << unended.q;
@@

cocci.print_main("access begun", p)
cocci.print_secs("left without dma_buf_end_cpu_access", q)

@script:python depends on org@
p << unended_test.p;
q << unended_test.q;
@@

cocci.print_main("access begun", p)
cocci.print_secs("left without dma_buf_end_cpu_access", q)
