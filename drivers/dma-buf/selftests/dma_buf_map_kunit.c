// SPDX-License-Identifier: GPL-2.0
/*
 * Suite dma_buf_map: the address type that knows system from I/O memory.
 *
 * Cases with a parameter run for both kinds of memory. The I/O memory is
 * ordinary memory under an __iomem pointer: on UML, x86 and arm64 the I/O
 * accessors are loads and stores of the same address, so the bytes they leave
 * can be looked at. Elsewhere that half is skipped.
 */

#include <kunit/test.h>
#include <linux/iosys-map.h>
#include <linux/kconfig.h>
#include <linux/sizes.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "mock.h"

#if DMABUF_OURS
static_assert(__same_type(struct dma_buf_map, struct iosys_map));
static_assert(__same_type(&dma_buf_map_incr, &iosys_map_incr));
#else
/* A plain 6.12 tree has the other name only. */
#define dma_buf_map			iosys_map
#define DMA_BUF_MAP_INIT_VADDR		IOSYS_MAP_INIT_VADDR
#define DMA_BUF_MAP_INIT_VADDR_IOMEM	IOSYS_MAP_INIT_VADDR_IOMEM
#define DMA_BUF_MAP_INIT_OFFSET		IOSYS_MAP_INIT_OFFSET
#define dma_buf_map_set_vaddr		iosys_map_set_vaddr
#define dma_buf_map_set_vaddr_iomem	iosys_map_set_vaddr_iomem
#define dma_buf_map_clear		iosys_map_clear
#define dma_buf_map_is_null		iosys_map_is_null
#define dma_buf_map_is_set		iosys_map_is_set
#define dma_buf_map_is_equal		iosys_map_is_equal
#define dma_buf_map_incr		iosys_map_incr
#define dma_buf_map_memcpy_to		iosys_map_memcpy_to
#define dma_buf_map_memcpy_from		iosys_map_memcpy_from
#define dma_buf_map_memset		iosys_map_memset
#define dma_buf_map_rd			iosys_map_rd
#define dma_buf_map_wr			iosys_map_wr
#define dma_buf_map_rd_field		iosys_map_rd_field
#define dma_buf_map_wr_field		iosys_map_wr_field
#endif

#define SIZE	SZ_4K
#define POISON	0xa5

#define PLAIN_IO_ACCESSORS \
	(IS_ENABLED(CONFIG_UML) || IS_ENABLED(CONFIG_X86) || \
	 IS_ENABLED(CONFIG_ARM64))

#ifdef __BIG_ENDIAN
#define CPU_IS_BIG_ENDIAN true
#else
#define CPU_IS_BIG_ENDIAN false
#endif

struct kind {
	const char *name;
	bool is_iomem;
};

static const struct kind kinds[] = {
	{ "system_memory", false },
	{ "io_memory", true },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

/* What the accessors of members are tried on. */
struct record {
	u8 tag;
	u16 half;
	u32 word;
	u64 wide;
	struct {
		u32 low, high;
	} nested;
	u16 list[3];
};

/* What a map can be made of that outlives every function. */
static u8 static_memory[16];
static struct dma_buf_map static_map = DMA_BUF_MAP_INIT_VADDR(static_memory);

static void free_memory(void *memory)
{
	vfree(memory);
}

/* test->priv: SIZE bytes of POISON. */
static int init(struct kunit *test)
{
	u8 *memory = vmalloc(SIZE);

	if (!memory)
		return -ENOMEM;

	memset(memory, POISON, SIZE);
	test->priv = memory;
	return kunit_add_action_or_reset(test, free_memory, memory);
}

static void __iomem *as_iomem(void *memory)
{
	return (void __iomem __force *)memory;
}

static bool is_iomem_case(struct kunit *test)
{
	const struct kind *kind = test->param_value;

	return kind->is_iomem;
}

/* A map of the test's memory, of the kind that is the case's parameter. */
static struct dma_buf_map map_memory(struct kunit *test)
{
	struct dma_buf_map map = DMA_BUF_MAP_INIT_VADDR(test->priv);

	if (is_iomem_case(test)) {
		if (!PLAIN_IO_ACCESSORS)
			kunit_skip(test, "I/O accessors are not for memory");
		dma_buf_map_set_vaddr_iomem(&map, as_iomem(test->priv));
	}
	return map;
}

/* Is @memory poison all over, but for @len bytes from @offset on? */
static bool rest_is_poison(const u8 *memory, size_t offset, size_t len)
{
	size_t end = offset + len;

	return !memchr_inv(memory, POISON, offset) &&
	       !memchr_inv(memory + end, POISON, SIZE - end);
}

/* Passes if a map can be initialised where only constants can. */
static void init_vaddr(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, static_map.is_iomem);
	KUNIT_EXPECT_PTR_EQ(test, static_map.vaddr, (void *)static_memory);
}

/* Passes if address and kind arrive. */
static void init_vaddr_iomem(struct kunit *test)
{
	void __iomem *io = as_iomem(test->priv);
	struct dma_buf_map map = DMA_BUF_MAP_INIT_VADDR_IOMEM(io);

	KUNIT_EXPECT_TRUE(test, map.is_iomem);
	KUNIT_EXPECT_TRUE(test, map.vaddr_iomem == io);
}

/* Passes if the copy starts later, is of the same kind, and is a copy. */
static void init_offset_leaves_the_original(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);
	struct dma_buf_map later = DMA_BUF_MAP_INIT_OFFSET(&map, 1 ? 24 : 0);
	struct dma_buf_map same = map_memory(test);

	KUNIT_EXPECT_TRUE(test, dma_buf_map_is_equal(&map, &same));
	KUNIT_EXPECT_FALSE(test, dma_buf_map_is_equal(&map, &later));
	dma_buf_map_incr(&same, 24);
	KUNIT_EXPECT_TRUE(test, dma_buf_map_is_equal(&later, &same));
}

/* Passes if a map of I/O memory becomes one of system memory. */
static void set_vaddr_forgets_the_kind(struct kunit *test)
{
	struct dma_buf_map map =
		DMA_BUF_MAP_INIT_VADDR_IOMEM(as_iomem(static_memory));

	dma_buf_map_set_vaddr(&map, test->priv);
	KUNIT_EXPECT_FALSE(test, map.is_iomem);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, test->priv);
}

/* Passes if a map of system memory becomes one of I/O memory. */
static void set_vaddr_iomem_forgets_the_kind(struct kunit *test)
{
	struct dma_buf_map map = DMA_BUF_MAP_INIT_VADDR(static_memory);

	dma_buf_map_set_vaddr_iomem(&map, as_iomem(test->priv));
	KUNIT_EXPECT_TRUE(test, map.is_iomem);
	KUNIT_EXPECT_TRUE(test, map.vaddr_iomem == as_iomem(test->priv));
}

/* Passes if a cleared map is like one that was made of zeroes. */
static void clear_gives_an_unset_map_of_system_memory(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);
	struct dma_buf_map zero = { };

	dma_buf_map_clear(&map);
	KUNIT_EXPECT_TRUE(test, dma_buf_map_is_null(&map));
	KUNIT_EXPECT_FALSE(test, map.is_iomem);
	KUNIT_EXPECT_TRUE(test, dma_buf_map_is_equal(&map, &zero));
}

/* Passes if only the address decides, in both kinds. */
static void is_null_and_is_set_are_opposites(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	KUNIT_EXPECT_FALSE(test, dma_buf_map_is_null(&map));
	KUNIT_EXPECT_TRUE(test, dma_buf_map_is_set(&map));

	if (is_iomem_case(test))
		dma_buf_map_set_vaddr_iomem(&map, NULL);
	else
		dma_buf_map_set_vaddr(&map, NULL);
	KUNIT_EXPECT_TRUE(test, dma_buf_map_is_null(&map));
	KUNIT_EXPECT_FALSE(test, dma_buf_map_is_set(&map));
}

/* Passes if address and kind both count, and nothing else. */
static void is_equal_compares_address_and_kind(struct kunit *test)
{
	struct dma_buf_map sys = DMA_BUF_MAP_INIT_VADDR(test->priv);
	struct dma_buf_map io =
		DMA_BUF_MAP_INIT_VADDR_IOMEM(as_iomem(test->priv));
	struct dma_buf_map maps[] = {
		sys, io,
		DMA_BUF_MAP_INIT_OFFSET(&sys, 1),
		DMA_BUF_MAP_INIT_OFFSET(&io, 1),
		DMA_BUF_MAP_INIT_VADDR(NULL),
		DMA_BUF_MAP_INIT_VADDR_IOMEM(NULL),
	};
	int i, j;

	for (i = 0; i < ARRAY_SIZE(maps); i++)
		for (j = 0; j < ARRAY_SIZE(maps); j++) {
			struct dma_buf_map copy = maps[j];
			bool equal = dma_buf_map_is_equal(&maps[i], &copy);

			KUNIT_EXPECT_EQ_MSG(test, equal, i == j, "%d, %d", i, j);
		}
}

/* Passes if the start moves by bytes and the kind stays. */
static void incr_moves_the_start(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_incr(&map, 3);
	dma_buf_map_incr(&map, 0);
	dma_buf_map_incr(&map, 5);
	KUNIT_EXPECT_EQ(test, map.is_iomem, is_iomem_case(test));
	KUNIT_EXPECT_TRUE(test, map.is_iomem ?
			  map.vaddr_iomem == as_iomem(test->priv + 8) :
			  map.vaddr == test->priv + 8);
}

/* Passes if exactly the bytes meant are written, at odd places, too. */
static void memcpy_to_writes_what_it_is_told(struct kunit *test)
{
	static const char text[] = "seventeen letters";
	struct dma_buf_map map = map_memory(test);
	u8 *memory = test->priv;

	dma_buf_map_memcpy_to(&map, 0, text, 0);
	KUNIT_EXPECT_TRUE(test, rest_is_poison(memory, 0, 0));

	dma_buf_map_memcpy_to(&map, 13, text, sizeof(text));
	KUNIT_EXPECT_MEMEQ(test, memory + 13, text, sizeof(text));
	KUNIT_EXPECT_TRUE(test, rest_is_poison(memory, 13, sizeof(text)));
}

/* Passes if the bytes meant arrive and the source is as it was. */
static void memcpy_from_reads_what_it_is_told(struct kunit *test)
{
	const struct dma_buf_map map = map_memory(test);
	u8 *memory = test->priv;
	u8 buffer[24] = { };
	int i;

	for (i = 0; i < SIZE; i++)
		memory[i] = i;
	dma_buf_map_memcpy_from(buffer + 1, &map, 0x1f, 21);

	KUNIT_EXPECT_EQ(test, buffer[0], 0);
	for (i = 0; i < 21; i++)
		KUNIT_EXPECT_EQ(test, buffer[i + 1], 0x1f + i);
	KUNIT_EXPECT_EQ(test, buffer[22], 0);
	for (i = 0; i < SIZE; i++)
		KUNIT_ASSERT_EQ(test, memory[i], i & 0xff);
}

/* Passes if the low byte of the value fills the range and nothing more. */
static void memset_fills_the_range(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);
	u8 *memory = test->priv;

	dma_buf_map_memset(&map, 7, 0x133, 30);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 7, 0x33, 30));
	KUNIT_EXPECT_TRUE(test, rest_is_poison(memory, 7, 30));
}

/*
 * Does the test's memory hold @value in @size bytes from 64 on, and poison
 * beside them? I/O memory is little-endian whatever the CPU is.
 */
static void expect_stored(struct kunit *test, u64 value, size_t size)
{
	u8 *memory = test->priv;
	size_t i;

	for (i = 0; i < size; i++) {
		bool low_first = is_iomem_case(test) || !CPU_IS_BIG_ENDIAN;
		size_t at = 64 + (low_first ? i : size - 1 - i);

		KUNIT_EXPECT_EQ(test, memory[at], (value >> (8 * i)) & 0xff);
	}
	KUNIT_EXPECT_TRUE(test, rest_is_poison(memory, 64, size));
}

/* Passes if the byte comes back, and lies as the kind of memory has it. */
static void rd_and_wr_of_1_byte(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_wr(&map, 64, u8, 0x8f);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 64, u8), 0x8f);
	expect_stored(test, 0x8f, sizeof(u8));
}

/* Passes if 2 bytes come back, and lie as the kind of memory has it. */
static void rd_and_wr_of_2_bytes(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_wr(&map, 64, u16, 0x8fed);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 64, u16), 0x8fed);
	expect_stored(test, 0x8fed, sizeof(u16));
}

/* Passes if 4 bytes come back, and lie as the kind of memory has it. */
static void rd_and_wr_of_4_bytes(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_wr(&map, 64, u32, 0x8fedcba9);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 64, u32), 0x8fedcba9);
	expect_stored(test, 0x8fedcba9, sizeof(u32));
}

/* Passes if 8 bytes come back, and lie as the kind of memory has it. */
static void rd_and_wr_of_8_bytes(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_wr(&map, 64, u64, 0x8fedcba976543210);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 64, u64), 0x8fedcba976543210);
	expect_stored(test, 0x8fedcba976543210, sizeof(u64));
}

/* Passes if a value is converted as an assignment converts it. */
static void wr_converts_to_the_type(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);
	u8 *memory = test->priv;
	u32 wide = 0x12345678;

	OPTIMIZER_HIDE_VAR(wide);	/* no warnings of a constant cut short */
	dma_buf_map_wr(&map, 0, u16, wide);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 0, u16), 0x5678);
	dma_buf_map_wr(&map, 0, u32, -1);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 0, u32), U32_MAX);
	KUNIT_EXPECT_TRUE(test, rest_is_poison(memory, 0, sizeof(u32)));
}

/* Passes if a value can be read, changed and written in one expression. */
static void wr_of_a_value_that_is_read(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_wr(&map, 8, u32, 41);
	dma_buf_map_wr(&map, 8, u32, dma_buf_map_rd(&map, 8, u32) + 1);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 8, u32), 42);
}

/*
 * Passes if members of each width, of a nested structure and of an array are
 * found where the compiler puts them, in a structure that starts at 32.
 */
static void wr_field_then_rd_field(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);
	struct record record = { };

	dma_buf_map_memset(&map, 32, 0, sizeof(record));
	dma_buf_map_wr_field(&map, 32, struct record, tag, 0x91);
	dma_buf_map_wr_field(&map, 32, struct record, half, 0x9192);
	dma_buf_map_wr_field(&map, 32, struct record, word, 0x91929394);
	dma_buf_map_wr_field(&map, 32, struct record, wide, 0x9192939495969798);
	dma_buf_map_wr_field(&map, 32, struct record, nested.high, 7);
	dma_buf_map_wr_field(&map, 32, struct record, list[2], 9);

#define RD(field_) dma_buf_map_rd_field(&map, 32, struct record, field_)
	KUNIT_EXPECT_EQ(test, RD(tag), 0x91);
	KUNIT_EXPECT_EQ(test, RD(half), 0x9192);
	KUNIT_EXPECT_EQ(test, RD(word), 0x91929394);
	KUNIT_EXPECT_EQ(test, RD(wide), 0x9192939495969798);
	KUNIT_EXPECT_EQ(test, RD(nested.low), 0);
	KUNIT_EXPECT_EQ(test, RD(nested.high), 7);
	KUNIT_EXPECT_EQ(test, RD(list[1]), 0);
	KUNIT_EXPECT_EQ(test, RD(list[2]), 9);
#undef RD

	if (is_iomem_case(test)) {
		u8 *word = test->priv + 32 + offsetof(struct record, word);

		KUNIT_EXPECT_EQ(test, get_unaligned_le32(word), 0x91929394);
	} else {
		dma_buf_map_memcpy_from(&record, &map, 32, sizeof(record));
		KUNIT_EXPECT_EQ(test, record.wide, 0x9192939495969798);
		KUNIT_EXPECT_EQ(test, record.list[2], 9);
	}
	KUNIT_EXPECT_TRUE(test, rest_is_poison(test->priv, 32, sizeof(record)));
}

#if DMABUF_OURS
enum colour { COLOUR_RED = 3 };

/* Passes if the types that 6.12's accessors refuse keep sign and value. */
static void rd_and_wr_of_signed_types_enums_and_bools(struct kunit *test)
{
	struct dma_buf_map map = map_memory(test);

	dma_buf_map_wr(&map, 0, s8, -3);
	dma_buf_map_wr(&map, 2, s16, -4);
	dma_buf_map_wr(&map, 4, int, -5);
	dma_buf_map_wr(&map, 8, s64, S64_MIN + 6);
	dma_buf_map_wr(&map, 16, enum colour, COLOUR_RED);
	dma_buf_map_wr(&map, 20, bool, true);

	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 0, s8), -3);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 2, s16), -4);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 4, const int), -5);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 8, s64), S64_MIN + 6);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 16, enum colour), COLOUR_RED);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 20, bool), true);
}

/* Passes if arguments with side effects have each of them once. */
static void rd_and_wr_evaluate_arguments_once(struct kunit *test)
{
	struct dma_buf_map maps[2] = { map_memory(test), { } };
	struct dma_buf_map *map = maps;
	size_t offset = 16;
	u8 value = 0x21;

	dma_buf_map_wr(map++, offset++, u8, value++);
	KUNIT_EXPECT_PTR_EQ(test, map, &maps[1]);
	KUNIT_EXPECT_EQ(test, offset, 17);
	KUNIT_EXPECT_EQ(test, value, 0x22);

	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(--map, --offset, u8), 0x21);
	KUNIT_EXPECT_PTR_EQ(test, map, &maps[0]);
	KUNIT_EXPECT_EQ(test, offset, 16);
}

/* Passes if either name can be used on what the other one made. */
static void names_are_one_type(struct kunit *test)
{
	struct iosys_map map = DMA_BUF_MAP_INIT_VADDR(test->priv);
	struct dma_buf_map later = IOSYS_MAP_INIT_OFFSET(&map, 4);

	iosys_map_wr(&later, 0, u16, 0x1234);
	KUNIT_EXPECT_EQ(test, dma_buf_map_rd(&map, 4, u16), 0x1234);
	KUNIT_EXPECT_FALSE(test, iosys_map_is_equal(&map, &later));
}
#endif

struct header {
	u32 magic;
};

#define MAGIC 0x6d617021

/* The example of the overview. Passes if header and body are as it says. */
static void overview_example(struct kunit *test)
{
	struct header header = { .magic = MAGIC };
	struct dma_buf_map map = DMA_BUF_MAP_INIT_VADDR(test->priv);
	struct dma_buf_map body = DMA_BUF_MAP_INIT_OFFSET(&map, sizeof(header));
	u8 *memory = test->priv;

	dma_buf_map_memcpy_to(&map, 0, &header, sizeof(header));
	dma_buf_map_memset(&body, 0, 0xff, 64);
	KUNIT_EXPECT_EQ(test, MAGIC,
			dma_buf_map_rd_field(&map, 0, struct header, magic));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + sizeof(header), 0xff, 64));
	KUNIT_EXPECT_TRUE(test, rest_is_poison(memory, 0, sizeof(header) + 64));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(init_vaddr),
	KUNIT_CASE(init_vaddr_iomem),
	KUNIT_CASE_PARAM(init_offset_leaves_the_original, kinds_gen_params),
	KUNIT_CASE(set_vaddr_forgets_the_kind),
	KUNIT_CASE(set_vaddr_iomem_forgets_the_kind),
	KUNIT_CASE_PARAM(clear_gives_an_unset_map_of_system_memory,
			 kinds_gen_params),
	KUNIT_CASE_PARAM(is_null_and_is_set_are_opposites, kinds_gen_params),
	KUNIT_CASE(is_equal_compares_address_and_kind),
	KUNIT_CASE_PARAM(incr_moves_the_start, kinds_gen_params),
	KUNIT_CASE_PARAM(memcpy_to_writes_what_it_is_told, kinds_gen_params),
	KUNIT_CASE_PARAM(memcpy_from_reads_what_it_is_told, kinds_gen_params),
	KUNIT_CASE_PARAM(memset_fills_the_range, kinds_gen_params),
	KUNIT_CASE_PARAM(rd_and_wr_of_1_byte, kinds_gen_params),
	KUNIT_CASE_PARAM(rd_and_wr_of_2_bytes, kinds_gen_params),
	KUNIT_CASE_PARAM(rd_and_wr_of_4_bytes, kinds_gen_params),
	KUNIT_CASE_PARAM(rd_and_wr_of_8_bytes, kinds_gen_params),
	KUNIT_CASE_PARAM(wr_converts_to_the_type, kinds_gen_params),
	KUNIT_CASE_PARAM(wr_of_a_value_that_is_read, kinds_gen_params),
	KUNIT_CASE_PARAM(wr_field_then_rd_field, kinds_gen_params),
#if DMABUF_OURS
	KUNIT_CASE_PARAM(rd_and_wr_of_signed_types_enums_and_bools,
			 kinds_gen_params),
	KUNIT_CASE_PARAM(rd_and_wr_evaluate_arguments_once, kinds_gen_params),
	KUNIT_CASE(names_are_one_type),
#endif
	KUNIT_CASE(overview_example),
	{ }
};

static struct kunit_suite suite = {
	.name = "dma_buf_map",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
