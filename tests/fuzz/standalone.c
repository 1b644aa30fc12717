/* standalone.c - drives a libFuzzer target without libFuzzer.
 *
 * Feeds the target its seeds, each prefix boundary of small seeds, and then a
 * bounded number of seeded random mutations of them. It takes libFuzzer's own
 * arguments (-runs, -seed, -max_len, -max_total_time; others are ignored), so
 * a caller need not know which driver it has. Before each call the input lies
 * in ./last-input, mapped, so it is there after a crash as well.
 *
 * Not here: coverage feedback. That is libFuzzer's (configure --enable-fuzz);
 * this driver finds what falls over easily, with any compiler. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { SEEDS_MAX = 512, PREFIX_MAX = 512, FILE_MAX = 1 << 20 };

struct seed {
    uint8_t *bytes;
    size_t size;
};

struct driver {
    struct seed seeds[SEEDS_MAX];
    size_t seed_count;
    uint64_t random;
    uint64_t runs;
    uint64_t done;
    size_t max_len;
    double seconds;
    double started;
    uint8_t *crash; /* the mapped file: 8 bytes of size, then the input */
};

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* splitmix64 (Steele, Lea, Flood 2014): small, seeded, good enough to stir. */
static uint64_t random_next(struct driver *d)
{
    uint64_t z = (d->random += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t random_below(struct driver *d, size_t limit)
{
    return limit ? (size_t)(random_next(d) % limit) : 0;
}

static void die(const char *what, const char *path)
{
    fprintf(stderr, "fuzz: %s: %s: %s\n", path, what, strerror(errno));
    exit(2);
}

/* --- seeds --------------------------------------------------------------- */

static void seed_add(struct driver *d, const char *path, size_t size)
{
    FILE *f;
    struct seed *s = &d->seeds[d->seed_count];

    if (d->seed_count == SEEDS_MAX)
        return;
    if (size > FILE_MAX)
        size = FILE_MAX;
    f = fopen(path, "rb");
    if (!f)
        die("cannot open this seed", path);
    s->bytes = malloc(size ? size : 1);
    if (!s->bytes)
        die("no memory for this seed", path);
    s->size = fread(s->bytes, 1, size, f);
    fclose(f);
    d->seed_count++;
}

/* A seed argument is a file or a folder of files; what is missing is skipped
 * as libFuzzer would not, since a target without seeds is still worth a run. */
static void seeds_read(struct driver *d, const char *path)
{
    struct stat st;
    struct dirent *entry;
    DIR *dir;
    char name[4096];

    if (stat(path, &st) != 0)
        return;
    if (S_ISREG(st.st_mode)) {
        seed_add(d, path, (size_t)st.st_size);
        return;
    }
    dir = opendir(path);
    if (!dir)
        return;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < (int)sizeof name)
            seeds_read(d, name);
    }
    closedir(dir);
}

/* --- mutations ----------------------------------------------------------- */

static const char *const words[] = {
    "0", "-1", "1", "4294967296", "99999999999999999999", "1e309", "nan", "inf",
    "\xff\xff\xff\xff", "\x00\x80", "\x7f\xff\xff\xff", "\n", "\r\n", " ", "\t", "/", "../",
    "\"", "'", "[", "]", "{", "}", "=", ",", ".", "%s%n", "\xc2\xb0", "\xed\xa0\x80",
};

static size_t bytes_insert(struct driver *d, uint8_t *b, size_t n, const uint8_t *from, size_t len)
{
    size_t at = random_below(d, n + 1);

    if (len > d->max_len - n)
        len = d->max_len - n;
    memmove(b + at + len, b + at, n - at);
    memmove(b + at, from, len);
    return n + len;
}

static size_t bytes_remove(struct driver *d, uint8_t *b, size_t n)
{
    size_t at, len;

    if (n == 0)
        return 0;
    at = random_below(d, n);
    len = 1 + random_below(d, (n - at) < 16 ? n - at : 16);
    if (random_below(d, 8) == 0)
        return at; /* cut off here: the commonest damage of a real file */
    memmove(b + at, b + at + len, n - at - len);
    return n - len;
}

static size_t bytes_splice(struct driver *d, uint8_t *b, size_t n)
{
    const struct seed *s;
    size_t from, len;

    if (d->seed_count == 0)
        return n;
    s = &d->seeds[random_below(d, d->seed_count)];
    if (s->size == 0)
        return n;
    from = random_below(d, s->size);
    len = 1 + random_below(d, s->size - from);
    return bytes_insert(d, b, n, s->bytes + from, len > 256 ? 256 : len);
}

static size_t mutate_once(struct driver *d, uint8_t *b, size_t n)
{
    uint8_t noise[8];
    uint64_t r = random_next(d);
    const char *word = words[random_below(d, sizeof words / sizeof *words)];

    memcpy(noise, &r, sizeof noise);
    switch (n ? random_below(d, 8) : 5) {
    case 0:
        b[random_below(d, n)] ^= (uint8_t)(1u << random_below(d, 8));
        return n;
    case 1:
        b[random_below(d, n)] = noise[0];
        return n;
    case 2: /* numbers next to the one that was there */
        b[random_below(d, n)] += (uint8_t)(random_below(d, 9) - 4);
        return n;
    case 3:
    case 4:
        return bytes_remove(d, b, n);
    case 5:
        return bytes_insert(d, b, n, (const uint8_t *)word, strlen(word) + (strlen(word) == 0));
    case 6:
        return bytes_insert(d, b, n, noise, 1 + random_below(d, sizeof noise));
    default:
        return bytes_splice(d, b, n);
    }
}

/* --- running ------------------------------------------------------------- */

/* The target gets an exact-size heap copy: a sanitizer then sees one byte too
 * far, and a target that writes to its input harms nobody else. */
static void run_one(struct driver *d, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        die("no memory for an input", "run");
    memcpy(copy, bytes, size);
    memcpy(d->crash, &size, sizeof size);
    memcpy(d->crash + sizeof size, bytes, size);
    alarm(10); /* a hang ends with a signal, as under libFuzzer */
    (void)LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    free(copy);
    d->done++;
}

static int time_is_up(const struct driver *d)
{
    return d->seconds > 0 && now_seconds() - d->started > d->seconds;
}

static void run_seeds(struct driver *d)
{
    size_t i, cut;

    run_one(d, (const uint8_t *)"", 0);
    for (i = 0; i < d->seed_count && !time_is_up(d); i++) {
        const struct seed *s = &d->seeds[i];
        size_t size = s->size < d->max_len ? s->size : d->max_len;

        run_one(d, s->bytes, size);
        for (cut = 1; cut < size && cut < PREFIX_MAX; cut++)
            run_one(d, s->bytes, cut);
    }
}

static void run_mutations(struct driver *d)
{
    uint8_t *b = malloc(d->max_len + 1);
    size_t n, steps;

    if (!b)
        die("no memory for an input", "run");
    while (d->done < d->runs && !time_is_up(d)) {
        n = 0;
        if (d->seed_count > 0) {
            const struct seed *s = &d->seeds[random_below(d, d->seed_count)];

            n = s->size < d->max_len ? s->size : d->max_len;
            memcpy(b, s->bytes, n);
        }
        for (steps = 1 + random_below(d, 8); steps > 0; steps--)
            n = mutate_once(d, b, n);
        run_one(d, b, n);
    }
    free(b);
}

static void crash_file_open(struct driver *d)
{
    size_t size = d->max_len + sizeof size;
    int fd = open("last-input", O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
        die("cannot be written", "last-input");
    d->crash = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (d->crash == MAP_FAILED)
        die("cannot be mapped", "last-input");
    close(fd);
}

static int option_number(const char *arg, const char *name, uint64_t *ret_value)
{
    size_t n = strlen(name);

    if (strncmp(arg, name, n) != 0 || arg[n] != '=')
        return 0;
    *ret_value = strtoull(arg + n + 1, NULL, 10);
    return 1;
}

int main(int argc, char **argv)
{
    static struct driver d = { .runs = 20000, .max_len = 4096, .random = 1 };
    uint64_t value;
    int i;

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (i = 1; i < argc; i++) {
        if (option_number(argv[i], "-runs", &value))
            d.runs = value;
        else if (option_number(argv[i], "-seed", &value))
            d.random = value;
        else if (option_number(argv[i], "-max_len", &value) && value > 0 && value <= FILE_MAX)
            d.max_len = (size_t)value;
        else if (option_number(argv[i], "-max_total_time", &value))
            d.seconds = (double)value;
        else if (argv[i][0] != '-')
            seeds_read(&d, argv[i]);
    }
    d.started = now_seconds();
    crash_file_open(&d);
    run_seeds(&d);
    run_mutations(&d);
    fprintf(stderr, "Done %llu runs in %.1f second(s), %zu seeds\n", (unsigned long long)d.done,
            now_seconds() - d.started, d.seed_count);
    while (d.seed_count > 0)
        free(d.seeds[--d.seed_count].bytes);
    return 0;
}
