/* The process that holds a pod's namespaces: sleeps, reaps orphans, ends on SIGTERM and SIGINT.
   Without a C library: its whole image is a few hundred bytes. x86-64 and aarch64. */
#define SYS3(n, a, b, c) sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)

#if defined(__x86_64__)
enum { nrExit = 231, nrWait4 = 61, nrSigaction = 13, nrPpoll = 271 };
static long sys6(long n, long a, long b, long c, long d, long e, long f) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return r;
}
__asm__(".globl restorer\nrestorer:\n mov $15, %eax\n syscall\n");
#elif defined(__aarch64__)
enum { nrExit = 94, nrWait4 = 260, nrSigaction = 134, nrPpoll = 73 };
static long sys6(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
__asm__(".globl restorer\nrestorer:\n mov x8, #139\n svc #0\n");
#else
#error "pause.c knows x86-64 and aarch64"
#endif

void restorer(void);
struct kernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

static void end(int s) {
  (void)s;
  SYS3(nrExit, 0, 0, 0);
}
static void reap(int s) {
  (void)s;
  while (sys6(nrWait4, -1, 0, 1 /* WNOHANG */, 0, 0, 0) > 0) {
  }
}
static void on(int signal, void (*handler)(int)) {
  struct kernelSigaction action = {handler, 0x04000000 /* SA_RESTORER */, restorer, 0};
  sys6(nrSigaction, signal, (long)&action, 0, 8, 0, 0);
}

void _start(void) {
  on(2, end);
  on(15, end);
  on(17, reap);
  for (;;) SYS3(nrPpoll, 0, 0, 0);
}
