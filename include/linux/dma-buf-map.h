/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An address that knows which kind of memory it points to, and the accessors
 * that act on that knowledge.
 *
 * Nothing in here depends on dma-buf: any code that is handed "a kernel
 * mapping of some buffer" can use it. linux/iosys-map.h gives the same type
 * and the same helpers their other name.
 */

#ifndef __DMA_BUF_MAP_H__
#define __DMA_BUF_MAP_H__

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/wordpart.h>

/**
 * DOC: overview
 *
 * A buffer may live in system memory, which is dereferenced, or behind a
 * device's bus, where only readl(), memcpy_toio() and their kin are correct.
 * Which of the two it is depends on the exporter, and may change when the
 * buffer moves. A &struct dma_buf_map carries the answer next to the address,
 * so that the code in between needs neither to know nor to cast:
 *
 * =====================  =======================  ==========================
 * operation              system memory            I/O memory
 * =====================  =======================  ==========================
 * dma_buf_map_memcpy_*   memcpy()                 memcpy_toio/_fromio()
 * dma_buf_map_memset     memset()                 memset_io()
 * dma_buf_map_rd, _wr    READ_ONCE, WRITE_ONCE    readb/w/l/q, writeb/w/l/q
 * =====================  =======================  ==========================
 *
 * A map is a value: 16 bytes at most, copied by assignment, kept on the stack.
 * It owns nothing; whoever made the mapping ends it. None of the helpers
 * checks a length, and none may be used on a map that is not set.
 *
 * How to use one::
 *
 *	struct dma_buf_map map = DMA_BUF_MAP_INIT_VADDR(buffer);
 *	struct dma_buf_map body = DMA_BUF_MAP_INIT_OFFSET(&map, sizeof(header));
 *
 *	dma_buf_map_memcpy_to(&map, 0, &header, sizeof(header));
 *	dma_buf_map_memset(&body, 0, 0xff, body_size);
 *	if (dma_buf_map_rd_field(&map, 0, struct header, magic) != MAGIC)
 *		return -EIO;
 */

/*
 * C has no alias for a struct tag. In-tree headers forward-declare
 * "struct iosys_map;" before they include anything, so this tag has to be the
 * real one. A header that wants to get by with a forward declaration writes
 * that tag, too.
 */
#define dma_buf_map iosys_map

/**
 * struct dma_buf_map - kernel address in system or in I/O memory
 * @vaddr_iomem: the address, valid if @is_iomem
 * @vaddr: the address, valid if not @is_iomem
 * @is_iomem: the memory needs the I/O accessors
 *
 * A map whose address is NULL is not set. Zeroed memory is such a map.
 */
struct dma_buf_map {
	union {
		void __iomem *vaddr_iomem;
		void *vaddr;
	};
	bool is_iomem;
};

/**
 * DMA_BUF_MAP_INIT_VADDR - initialiser for a map of system memory
 * @vaddr_: the address, may be NULL
 *
 * A plain initialiser list: good for automatic, static and member objects.
 */
#define DMA_BUF_MAP_INIT_VADDR(vaddr_) { .vaddr = (vaddr_), .is_iomem = false }

/**
 * DMA_BUF_MAP_INIT_VADDR_IOMEM - initialiser for a map of I/O memory
 * @vaddr_iomem_: the address, may be NULL
 *
 * As DMA_BUF_MAP_INIT_VADDR().
 */
#define DMA_BUF_MAP_INIT_VADDR_IOMEM(vaddr_iomem_) \
	{ .vaddr_iomem = (vaddr_iomem_), .is_iomem = true }

/**
 * DMA_BUF_MAP_INIT_OFFSET - a map of the same memory that starts later
 * @map_: pointer to the map to start from, left as it is
 * @offset_: how many bytes later
 *
 * An expression: it can be assigned and returned as well, but cannot
 * initialise an object of static storage duration.
 */
#define DMA_BUF_MAP_INIT_OFFSET(map_, offset_) __dma_buf_map_at(map_, offset_)

/**
 * dma_buf_map_set_vaddr() - point a map to system memory
 * @map: the map, what it held is forgotten
 * @vaddr: the address, may be NULL
 *
 * Context: Any context.
 */
static inline void dma_buf_map_set_vaddr(struct dma_buf_map *map, void *vaddr)
{
	*map = (struct dma_buf_map)DMA_BUF_MAP_INIT_VADDR(vaddr);
}

/**
 * dma_buf_map_set_vaddr_iomem() - point a map to I/O memory
 * @map: the map, what it held is forgotten
 * @vaddr_iomem: the address, may be NULL
 *
 * Context: Any context.
 */
static inline void dma_buf_map_set_vaddr_iomem(struct dma_buf_map *map,
					       void __iomem *vaddr_iomem)
{
	*map = (struct dma_buf_map)DMA_BUF_MAP_INIT_VADDR_IOMEM(vaddr_iomem);
}

/**
 * dma_buf_map_clear() - make a map point nowhere
 * @map: the map
 *
 * Context: Any context.
 */
static inline void dma_buf_map_clear(struct dma_buf_map *map)
{
	dma_buf_map_set_vaddr(map, NULL);
}

/**
 * dma_buf_map_is_null() - does a map point nowhere?
 * @map: the map
 *
 * Context: Any context.
 * Return: true if the address is NULL, whichever kind of memory it is for.
 */
static inline bool dma_buf_map_is_null(const struct dma_buf_map *map)
{
	return map->is_iomem ? !map->vaddr_iomem : !map->vaddr;
}

/**
 * dma_buf_map_is_set() - can a map be accessed?
 * @map: the map
 *
 * Context: Any context.
 * Return: the opposite of dma_buf_map_is_null().
 */
static inline bool dma_buf_map_is_set(const struct dma_buf_map *map)
{
	return !dma_buf_map_is_null(map);
}

/**
 * dma_buf_map_is_equal() - do two maps start at the same byte?
 * @lhs: one map
 * @rhs: the other map
 *
 * Addresses of different kinds have nothing in common, NULL included.
 *
 * Context: Any context.
 * Return: true if both are of the same kind and hold the same address.
 */
static inline bool dma_buf_map_is_equal(const struct dma_buf_map *lhs,
					const struct dma_buf_map *rhs)
{
	if (lhs->is_iomem && rhs->is_iomem)
		return lhs->vaddr_iomem == rhs->vaddr_iomem;

	return !lhs->is_iomem && !rhs->is_iomem && lhs->vaddr == rhs->vaddr;
}

/**
 * dma_buf_map_incr() - move the start of a map
 * @map: the map
 * @incr: how many bytes to move by, towards higher addresses
 *
 * Context: Any context.
 */
static inline void dma_buf_map_incr(struct dma_buf_map *map, size_t incr)
{
	if (map->is_iomem)
		map->vaddr_iomem += incr;
	else
		map->vaddr += incr;
}

/* What DMA_BUF_MAP_INIT_OFFSET() evaluates to. */
static inline struct dma_buf_map __dma_buf_map_at(const struct dma_buf_map *map,
						  size_t offset)
{
	struct dma_buf_map at = *map;

	dma_buf_map_incr(&at, offset);
	return at;
}

/**
 * dma_buf_map_memcpy_to() - copy from a kernel buffer into mapped memory
 * @dst: where to copy to
 * @dst_offset: first byte to write, counted from the start of @dst
 * @src: the buffer, in system memory; must not overlap the destination
 * @len: number of bytes
 *
 * Context: Any context.
 */
static inline void dma_buf_map_memcpy_to(struct dma_buf_map *dst,
					 size_t dst_offset, const void *src,
					 size_t len)
{
	struct dma_buf_map to = __dma_buf_map_at(dst, dst_offset);

	if (to.is_iomem)
		memcpy_toio(to.vaddr_iomem, src, len);
	else
		memcpy(to.vaddr, src, len);
}

/**
 * dma_buf_map_memcpy_from() - copy from mapped memory into a kernel buffer
 * @dst: the buffer, in system memory; must not overlap the source
 * @src: where to copy from
 * @src_offset: first byte to read, counted from the start of @src
 * @len: number of bytes
 *
 * Context: Any context.
 */
static inline void dma_buf_map_memcpy_from(void *dst,
					   const struct dma_buf_map *src,
					   size_t src_offset, size_t len)
{
	struct dma_buf_map from = __dma_buf_map_at(src, src_offset);

	if (from.is_iomem)
		memcpy_fromio(dst, from.vaddr_iomem, len);
	else
		memcpy(dst, from.vaddr, len);
}

/**
 * dma_buf_map_memset() - fill mapped memory with one byte value
 * @dst: the memory
 * @offset: first byte to write, counted from the start of @dst
 * @value: the value; its low eight bits are used
 * @len: number of bytes
 *
 * Context: Any context.
 */
static inline void dma_buf_map_memset(struct dma_buf_map *dst, size_t offset,
				      int value, size_t len)
{
	struct dma_buf_map to = __dma_buf_map_at(dst, offset);

	if (to.is_iomem)
		memset_io(to.vaddr_iomem, value, len);
	else
		memset(to.vaddr, value, len);
}

/*
 * The four functions below do one access of @size bytes; @size is a constant,
 * so that only one case is left of each switch. A 32-bit CPU has no 64-bit
 * I/O access: it does two, low half first, which gives the value of a readq()
 * but not its atomicity. The masks tell sparse, which looks at every case, that
 * the value is meant to lose its upper bits.
 */
static __always_inline u64 __dma_buf_map_rd_io(const void __iomem *from,
					       size_t size)
{
	switch (size) {
	case sizeof(u8):
		return readb(from);
	case sizeof(u16):
		return readw(from);
	case sizeof(u32):
		return readl(from);
	case sizeof(u64): {
#ifdef CONFIG_64BIT
		return readq(from);
#else
		u32 low = readl(from);

		return low | (u64)readl(from + sizeof(low)) << 32;
#endif
	}
	default:
		BUILD_BUG();
		return 0;
	}
}

static __always_inline void __dma_buf_map_wr_io(void __iomem *to, u64 value,
						size_t size)
{
	switch (size) {
	case sizeof(u8):
		writeb(value & U8_MAX, to);
		break;
	case sizeof(u16):
		writew(value & U16_MAX, to);
		break;
	case sizeof(u32):
		writel(value & U32_MAX, to);
		break;
	case sizeof(u64):
#ifdef CONFIG_64BIT
		writeq(value, to);
#else
		writel(lower_32_bits(value), to);
		writel(upper_32_bits(value), to + sizeof(u32));
#endif
		break;
	default:
		BUILD_BUG();
	}
}

static __always_inline u64 __dma_buf_map_rd_sys(const void *from, size_t size)
{
	switch (size) {
	case sizeof(u8):
		return READ_ONCE(*(const u8 *)from);
	case sizeof(u16):
		return READ_ONCE(*(const u16 *)from);
	case sizeof(u32):
		return READ_ONCE(*(const u32 *)from);
	case sizeof(u64):
		return READ_ONCE(*(const u64 *)from);
	default:
		BUILD_BUG();
		return 0;
	}
}

static __always_inline void __dma_buf_map_wr_sys(void *to, u64 value,
						 size_t size)
{
	switch (size) {
	case sizeof(u8):
		WRITE_ONCE(*(u8 *)to, value & U8_MAX);
		break;
	case sizeof(u16):
		WRITE_ONCE(*(u16 *)to, value & U16_MAX);
		break;
	case sizeof(u32):
		WRITE_ONCE(*(u32 *)to, value & U32_MAX);
		break;
	case sizeof(u64):
		WRITE_ONCE(*(u64 *)to, value);
		break;
	default:
		BUILD_BUG();
	}
}

static __always_inline u64 __dma_buf_map_rd(const struct dma_buf_map *map,
					    size_t offset, size_t size)
{
	if (map->is_iomem)
		return __dma_buf_map_rd_io(map->vaddr_iomem + offset, size);

	return __dma_buf_map_rd_sys(map->vaddr + offset, size);
}

static __always_inline void __dma_buf_map_wr(const struct dma_buf_map *map,
					     size_t offset, u64 value,
					     size_t size)
{
	if (map->is_iomem)
		__dma_buf_map_wr_io(map->vaddr_iomem + offset, value, size);
	else
		__dma_buf_map_wr_sys(map->vaddr + offset, value, size);
}

/**
 * dma_buf_map_rd - read one value with a single access
 * @map_: pointer to the map
 * @offset_: where the value starts, in bytes from the start of the map
 * @type_: type of the value: an integer, an enum or a bool of 1, 2, 4 or 8
 * bytes; anything else does not compile
 *
 * I/O memory is little-endian as for readl(), system memory has the byte order
 * of the CPU. The place has to be aligned as the architecture wants it. Eight
 * bytes of I/O memory take two accesses on a 32-bit CPU. Each argument is
 * evaluated once.
 *
 * Context: Any context.
 * Return: the value, as a @type_.
 */
#define dma_buf_map_rd(map_, offset_, type_) \
	((__force type_)__dma_buf_map_rd(map_, offset_, sizeof(type_)))

/**
 * dma_buf_map_wr - write one value with a single access
 * @map_: pointer to the map
 * @offset_: where the value starts, in bytes from the start of the map
 * @type_: type of the value in memory, as for dma_buf_map_rd()
 * @val_: the value, converted to @type_ as by an assignment
 *
 * As dma_buf_map_rd(), in the other direction.
 *
 * Context: Any context.
 */
#define dma_buf_map_wr(map_, offset_, type_, val_) ({			\
	type_ __dma_buf_map_val = (val_);				\
	__dma_buf_map_wr(map_, offset_, (__force u64)__dma_buf_map_val,	\
			 sizeof(type_));				\
})

/**
 * dma_buf_map_rd_field - read a member of a structure
 * @map_: pointer to the map
 * @struct_offset_: where the structure starts, in bytes from the start of the
 * map
 * @struct_type_: type of the structure
 * @field_: name of the member, which is of a type that dma_buf_map_rd() can
 * read; a nested member or an array element will do
 *
 * The structure lies in the mapped memory as the CPU's compiler lays it out.
 *
 * Context: Any context.
 * Return: the value, in the member's type.
 */
#define dma_buf_map_rd_field(map_, struct_offset_, struct_type_, field_) \
	dma_buf_map_rd(map_,						\
		       (struct_offset_) + offsetof(struct_type_, field_), \
		       typeof(((struct_type_ *)NULL)->field_))

/**
 * dma_buf_map_wr_field - write a member of a structure
 * @map_: pointer to the map
 * @struct_offset_: where the structure starts, in bytes from the start of the
 * map
 * @struct_type_: type of the structure
 * @field_: name of the member, as for dma_buf_map_rd_field()
 * @val_: the value, converted to the member's type as by an assignment
 *
 * Context: Any context.
 */
#define dma_buf_map_wr_field(map_, struct_offset_, struct_type_, field_, val_) \
	dma_buf_map_wr(map_,						\
		       (struct_offset_) + offsetof(struct_type_, field_), \
		       typeof(((struct_type_ *)NULL)->field_), val_)

#endif /* __DMA_BUF_MAP_H__ */
