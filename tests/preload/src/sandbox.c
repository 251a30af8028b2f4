/*
 * sandbox.c - shuts itself off from all system calls but those that memory, locks and
 * threads need, then allocates in old and new threads. Any other call is named and
 * fails the test.
 *
 * Sandboxed programs allow an allocator mmap and its kin; they do not expect it to ask
 * for the time, the processors or random bytes in the middle of their work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HELD = 3000, THREADS = 6 };

/* What it takes to start and end a thread, libc's or ours, stands in the second half. */
static const int allowed[] = {
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_futex,
    SYS_write,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigreturn,

    SYS_clone,
    SYS_getpid,
    SYS_rseq,
    SYS_clone3,
    SYS_set_robust_list,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
};
enum { ALLOWED = sizeof allowed / sizeof *allowed };

static void forbidden(int number, siginfo_t *info, void *context)
{
    char line[] = "sandbox: system call 0000 after the start\n";
    int call = info->si_syscall;

    (void)number;
    (void)context;
    for (char *digit = strchr(line, '0') + 3; call > 0; call /= 10)
        *digit-- = (char)('0' + call % 10);
    (void)!write(2, line, sizeof line - 1);
    _exit(1);
}

/* One comparison for each call allowed; the last instruction but one is the trap. */
static int shut(void)
{
    struct sock_filter code[ALLOWED + 3];
    struct sock_fprog program = {.len = ALLOWED + 3, .filter = code};
    struct sigaction action = {.sa_sigaction = forbidden, .sa_flags = SA_SIGINFO};

    code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                           offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ALLOWED; i++) {
        code[i + 1] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], (uint8_t)(ALLOWED - i), 0);
    }
    code[ALLOWED + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    code[ALLOWED + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static size_t size_of(size_t i, size_t salt)
{
    size_t size = (i * 53 + salt * 1009) % 3000 + 1;

    if ((i + salt) % 200 == 0)
        return size * 100;
    return (i + salt) % 1999 == 0 ? size * 5000 : size;
}

static void use(size_t salt)
{
    unsigned char **held = calloc(HELD, sizeof *held);

    for (size_t round = 0; held && round < 4; round++) {
        for (size_t i = 0; i < HELD; i++) {
            size_t size = size_of(i, salt + round);

            if (i % 5 == round) {
                free(held[i]);
                held[i] = memalign(256, size);
            } else {
                held[i] = realloc(held[i], size);
            }
            if (!held[i])
                abort();
            held[i][0] = held[i][size - 1] = (unsigned char)i;
        }
    }
    for (size_t i = 0; held && i < HELD; i++)
        free(held[i]);
    free(held);
}

static void *work(void *salt)
{
    use((uintptr_t)salt);
    malloc_trim(0);
    return NULL;
}

static void use_in_threads(size_t salt)
{
    pthread_t thread[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(salt + i)))
            abort();
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

int main(void)
{
    struct mallinfo2 info;

    free(malloc(1)); /* that is all the start it gets */
    if (shut()) {
        perror("sandbox: seccomp");
        return 2;
    }
    use(0);
    for (size_t round = 0; round < 3; round++)
        use_in_threads(round * 10);
    info = mallinfo2();
    (void)!malloc_trim(0);
    (void)!write(1, info.arena ? "kept inside\n" : "nothing?\n", 12);
    _exit(0); /* exit would have stdio ask what its file is */
}
