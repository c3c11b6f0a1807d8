// SPDX-License-Identifier: GPL-2.0-only
/// dma_buf_fd() and fd_install() publish: from then on user space can use the
/// descriptor, close it, or let another file take its number. Nothing may fail
/// after that: what can fail, copy_to_user() above all, comes before.
///
//# Followed inside a function from the publication to a later copy to user
//# space, to a return of an error code, and to an attempt to take the
//# descriptor back.
//#
//# Not seen: failures in the caller, and those whose code travels to the return
//# statement in a variable that was set before.
//#
//# An element of an array is left alone: which one it is, is not followed.
//#
//# False positives can come from a copy whose failure is ignored on purpose,
//# and from a common exit that takes the descriptor back after an error only.
//
// Confidence: High
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@element@
expression a, i;
identifier m;
position p;
@@

(
a[i] = dma_buf_fd@p(...)
|
a[i].m = dma_buf_fd@p(...)
|
fd_install@p(<+... a[i] ...+>, ...)
)

@buf_copy depends on context || org || report exists@
expression fd, E;
position p != element.p;
position q;
@@

* fd = dma_buf_fd@p(...)
... when != true unlikely(fd < 0)
    when != false fd >= 0
    when != fd = E
    when != true E && fd >= 0
    when != true E && (fd >= 0)
(
* \(copy_to_user@q\|__copy_to_user@q\|copy_struct_to_user@q\|put_user@q\|__put_user@q\|unsafe_put_user@q\)(...)
|
* put_unused_fd@q(fd)
)

@buf_return depends on context || org || report exists@
expression fd, E, r;
identifier fn !~ "^IS_ERR(_OR_NULL)?$";
constant C;
position p != element.p;
position q;
@@

* fd = dma_buf_fd@p(...)
... when != true unlikely(fd < 0)
    when != false fd >= 0
    when != fd = E
    when != copy_to_user(...)
    when != __copy_to_user(...)
    when != copy_struct_to_user(...)
    when != put_user(...)
    when != __put_user(...)
    when != true unlikely(fn(...))
    when != true unlikely(fn(...) < 0)
    when != true fn(...) != 0
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
)

// An error code that goes on to the return statement.
@buf_code depends on context || org || report exists@
expression fd, r, E;
constant C;
position p != element.p;
position q;
@@

* fd = dma_buf_fd@p(...)
... when != true unlikely(fd < 0)
    when != false fd >= 0
    when != fd = E
    when != copy_to_user(...)
    when != __copy_to_user(...)
    when != copy_struct_to_user(...)
    when != put_user(...)
    when != __put_user(...)
    when != put_unused_fd(fd)
(
* r@q = -C
|
* r@q = PTR_ERR(...)
)
... when != r = E
return r;

@buf_call depends on context || org || report exists@
expression fd, r, E;
identifier fn;
position p != element.p;
position q;
@@

* fd = dma_buf_fd@p(...)
... when != true unlikely(fd < 0)
    when != false fd >= 0
    when != fd = E
    when any
* r = fn@q(...)
... when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\)) {
	... when != r = E
  return r;
  }

@buf_test depends on context || org || report exists@
expression fd, E;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|WARN.*|(__)?(copy_to|put)_user|copy_struct_to_user)$";
constant C;
position p != element.p;
position q;
@@

* fd = dma_buf_fd@p(...)
... when != true unlikely(fd < 0)
    when != false fd >= 0
    when != fd = E
    when any
* if (\(unlikely(fn@q(...))\|unlikely(fn@q(...) < 0)\)) {
	...
	return -C;
  }

@file_copy depends on context || org || report exists@
expression fd, E;
position p != element.p;
position q;
@@

* fd_install@p(fd, ...)
... when != fd = E
    when != true E && fd >= 0
    when != true E && (fd >= 0)
(
* \(copy_to_user@q\|__copy_to_user@q\|copy_struct_to_user@q\|put_user@q\|__put_user@q\|unsafe_put_user@q\)(...)
|
* put_unused_fd@q(fd)
)

@file_return depends on context || org || report exists@
expression fd, E, r;
identifier fn !~ "^IS_ERR(_OR_NULL)?$";
constant C;
position p != element.p;
position q;
@@

* fd_install@p(fd, ...)
... when != fd = E
    when != copy_to_user(...)
    when != __copy_to_user(...)
    when != copy_struct_to_user(...)
    when != put_user(...)
    when != __put_user(...)
    when != true unlikely(fn(...))
    when != true unlikely(fn(...) < 0)
    when != true fn(...) != 0
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
)

// An error code that goes on to the return statement.
@file_code depends on context || org || report exists@
expression fd, r, E;
constant C;
position p != element.p;
position q;
@@

* fd_install@p(fd, ...)
... when != fd = E
    when != copy_to_user(...)
    when != __copy_to_user(...)
    when != copy_struct_to_user(...)
    when != put_user(...)
    when != __put_user(...)
    when != put_unused_fd(fd)
(
* r@q = -C
|
* r@q = PTR_ERR(...)
)
... when != r = E
return r;

@file_call depends on context || org || report exists@
expression fd, r, E;
identifier fn;
position p != element.p;
position q;
@@

* fd_install@p(fd, ...)
... when != fd = E
    when any
* r = fn@q(...)
... when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\)) {
	... when != r = E
  return r;
  }

@file_test depends on context || org || report exists@
expression fd, E;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|WARN.*|(__)?(copy_to|put)_user|copy_struct_to_user)$";
constant C;
position p != element.p;
position q;
@@

* fd_install@p(fd, ...)
... when != fd = E
    when any
* if (\(unlikely(fn@q(...))\|unlikely(fn@q(...) < 0)\)) {
	...
	return -C;
  }

@script:python depends on report@
p << buf_copy.p;
q << buf_copy.q;
@@

msg = "ERROR: may fail after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << buf_return.p;
q << buf_return.q;
@@

msg = "ERROR: fails after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << buf_code.p;
q << buf_code.q;
@@

msg = "ERROR: fails after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << buf_call.p;
q << buf_call.q;
@@

msg = "ERROR: may fail after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << buf_test.p;
q << buf_test.q;
@@

msg = "ERROR: may fail after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << file_copy.p;
q << file_copy.q;
@@

msg = "ERROR: may fail after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << file_return.p;
q << file_return.q;
@@

msg = "ERROR: fails after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << file_code.p;
q << file_code.q;
@@

msg = "ERROR: fails after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << file_call.p;
q << file_call.q;
@@

msg = "ERROR: may fail after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << file_test.p;
q << file_test.q;
@@

msg = "ERROR: may fail after the descriptor was published on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << buf_copy.p;
q << buf_copy.q;
@@

cocci.print_main("published", p)
cocci.print_secs("may fail", q)

@script:python depends on org@
p << buf_return.p;
q << buf_return.q;
@@

cocci.print_main("published", p)
cocci.print_secs("fails", q)

@script:python depends on org@
p << buf_code.p;
q << buf_code.q;
@@

cocci.print_main("published", p)
cocci.print_secs("fails", q)

@script:python depends on org@
p << buf_call.p;
q << buf_call.q;
@@

cocci.print_main("published", p)
cocci.print_secs("may fail", q)

@script:python depends on org@
p << buf_test.p;
q << buf_test.q;
@@

cocci.print_main("published", p)
cocci.print_secs("may fail", q)

@script:python depends on org@
p << file_copy.p;
q << file_copy.q;
@@

cocci.print_main("published", p)
cocci.print_secs("may fail", q)

@script:python depends on org@
p << file_return.p;
q << file_return.q;
@@

cocci.print_main("published", p)
cocci.print_secs("fails", q)

@script:python depends on org@
p << file_code.p;
q << file_code.q;
@@

cocci.print_main("published", p)
cocci.print_secs("fails", q)

@script:python depends on org@
p << file_call.p;
q << file_call.q;
@@

cocci.print_main("published", p)
cocci.print_secs("may fail", q)

@script:python depends on org@
p << file_test.p;
q << file_test.q;
@@

cocci.print_main("published", p)
cocci.print_secs("may fail", q)
