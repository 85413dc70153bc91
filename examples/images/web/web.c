/* The guestbook's web front end: one small HTTP/1.1 server over Redis.
 *
 *   GET  /               the page: the title, the entries (read from a follower), a form
 *   GET  /entries        the entries as text, one a line
 *   POST /entries        adds the body (or its form field "entry") through the leader
 *   GET  /healthz        200 while it runs
 *   GET  /readyz         200 while it can read from Redis
 *
 * Environment: TITLE, REDIS_LEADER and REDIS_FOLLOWER (host names), REDIS_PASSWORD, PORT (8080).
 * SIGTERM: stops accepting when nobody arrives any more (0.3 s, at most 5 s), finishes the requests
 * under way, exits 0. A thread per connection, at most 256.
 */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "v1"
#endif

enum { maxRequest = 65536, maxEntry = 1024, shown = 100, maxConnections = 256 };

static volatile sig_atomic_t stopping;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int connections;

static const char *setting(const char *name, const char *fallback) {
  const char *v = getenv(name);
  return v && *v ? v : fallback;
}

struct text {
  char *p;
  size_t n, cap;
};

static void put(struct text *t, const char *p, size_t n) {
  if (t->n + n + 1 > t->cap) {
    t->cap = (t->n + n + 1) * 2;
    t->p = realloc(t->p, t->cap);
    if (!t->p) abort();
  }
  memcpy(t->p + t->n, p, n);
  t->n += n;
  t->p[t->n] = 0;
}
static void puts_(struct text *t, const char *s) { put(t, s, strlen(s)); }
static void escape(struct text *t, const char *p, size_t n) {
  for (size_t i = 0; i < n; i++) switch (p[i]) {
      case '<': puts_(t, "&lt;"); break;
      case '>': puts_(t, "&gt;"); break;
      case '&': puts_(t, "&amp;"); break;
      case '"': puts_(t, "&quot;"); break;
      default: put(t, p + i, 1);
    }
}

static int sendAll(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
    if (w < 0 && errno == EINTR) continue;
    if (w <= 0) return -1;
    p += w;
    n -= (size_t)w;
  }
  return 0;
}

/* ---- Redis ------------------------------------------------------------------------------- */

static int dial(const char *host) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
  if (getaddrinfo(host, "6379", &hints, &list) != 0) return -1;
  int fd = -1;
  for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
    struct timeval wait = {2, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(list);
  return fd;
}

static void word(struct text *t, const char *p, size_t n) {
  char head[32];
  snprintf(head, sizeof head, "$%zu\r\n", n);
  puts_(t, head);
  put(t, p, n);
  puts_(t, "\r\n");
}

/* One line of the answer without its line end; NULL when the connection failed. */
static char *line(FILE *in, char *buffer, int size) {
  if (!fgets(buffer, size, in)) return NULL;
  buffer[strcspn(buffer, "\r\n")] = 0;
  return buffer;
}

/* Sends AUTH (when there is a password) and the command; leaves the stream at its answer. */
static FILE *ask(const char *host, const struct text *command) {
  int fd = dial(host);
  if (fd < 0) return NULL;
  const char *password = setting("REDIS_PASSWORD", "");
  struct text all = {0};
  if (*password) {
    puts_(&all, "*2\r\n$4\r\nAUTH\r\n");
    word(&all, password, strlen(password));
  }
  put(&all, command->p, command->n);
  int bad = sendAll(fd, all.p, all.n);
  free(all.p);
  FILE *in = bad ? NULL : fdopen(fd, "r");
  if (!in) {
    close(fd);
    return NULL;
  }
  char reply[256];
  if (*password && (!line(in, reply, sizeof reply) || strcmp(reply, "+OK") != 0)) {
    fclose(in);
    return NULL;
  }
  return in;
}

static int addEntry(const char *p, size_t n) {
  struct text c = {0};
  puts_(&c, "*3\r\n$5\r\nRPUSH\r\n$7\r\nentries\r\n");
  word(&c, p, n);
  FILE *in = ask(setting("REDIS_LEADER", "redis-leader"), &c);
  free(c.p);
  if (!in) return -1;
  char reply[256];
  int ok = line(in, reply, sizeof reply) && reply[0] == ':';
  fclose(in);
  return ok ? 0 : -1;
}

/* Calls each for the last entries, oldest first; -1 when Redis cannot be read. */
static int eachEntry(void (*each)(struct text *, const char *, size_t), struct text *out) {
  struct text c = {0};
  char range[96];
  snprintf(range, sizeof range, "*4\r\n$6\r\nLRANGE\r\n$7\r\nentries\r\n$4\r\n-%d\r\n$2\r\n-1\r\n", shown);
  puts_(&c, range);
  FILE *in = ask(setting("REDIS_FOLLOWER", "redis-follower"), &c);
  free(c.p);
  if (!in) return -1;
  char reply[256];
  int rc = -1;
  if (line(in, reply, sizeof reply) && reply[0] == '*') {
    long count = atol(reply + 1);
    for (rc = 0; count > 0 && rc == 0; count--) {
      rc = -1;
      if (!line(in, reply, sizeof reply) || reply[0] != '$') break;
      size_t n = (size_t)atol(reply + 1);
      char *item = n <= maxRequest ? malloc(n + 2) : NULL;
      if (item && fread(item, 1, n + 2, in) == n + 2) {
        each(out, item, n);
        rc = 0;
      }
      free(item);
    }
  }
  fclose(in);
  return rc;
}

/* ---- HTTP -------------------------------------------------------------------------------- */

static void answer(int fd, const char *status, const char *type, const char *p, size_t n, int keep) {
  char head[256];
  int h = snprintf(head, sizeof head,
                   "HTTP/1.1 %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\nX-Version: " VERSION
                   "\r\nConnection: %s\r\n\r\n",
                   status, type, n, keep ? "keep-alive" : "close");
  struct text all = {0};
  put(&all, head, (size_t)h);
  put(&all, p, n);
  sendAll(fd, all.p, all.n);
  free(all.p);
}
static void say(int fd, const char *status, const char *body, int keep) {
  answer(fd, status, "text/plain", body, strlen(body), keep);
}

static void asItem(struct text *t, const char *p, size_t n) {
  puts_(t, "<li>");
  escape(t, p, n);
  puts_(t, "</li>\n");
}
static void asLine(struct text *t, const char *p, size_t n) {
  put(t, p, n);
  puts_(t, "\n");
}

static void page(int fd, int keep) {
  struct text t = {0};
  const char *title = setting("TITLE", "Guestbook");
  puts_(&t, "<!doctype html><html><head><title>");
  escape(&t, title, strlen(title));
  puts_(&t, "</title></head><body><h1>");
  escape(&t, title, strlen(title));
  puts_(&t, "</h1><form method=post action=/entries><input name=entry autofocus> <button>Sign</button></form><ul>\n");
  int bad = eachEntry(asItem, &t);
  puts_(&t, "</ul><p>" VERSION "</p></body></html>\n");
  if (bad) say(fd, "503 Service Unavailable", "the guestbook's store does not answer\n", keep);
  else answer(fd, "200 OK", "text/html", t.p, t.n, keep);
  free(t.p);
}

/* Decodes "entry=a+b%21" in place. */
static size_t decodeForm(char *p, size_t n) {
  size_t out = 0;
  for (size_t i = 0; i < n && p[i] != '&'; i++) {
    char c = p[i] == '+' ? ' ' : p[i];
    if (c == '%' && i + 2 < n) {
      char hex[3] = {p[i + 1], p[i + 2], 0};
      c = (char)strtol(hex, NULL, 16);
      i += 2;
    }
    p[out++] = c;
  }
  return out;
}

static void sign(int fd, char *body, size_t n, int keep) {
  int form = n >= 6 && memcmp(body, "entry=", 6) == 0;
  if (form) {
    body += 6;
    n = decodeForm(body, n - 6);
  }
  while (n > 0 && (body[n - 1] == '\n' || body[n - 1] == '\r')) n--;
  for (size_t i = 0; i < n; i++)
    if (body[i] == '\n' || body[i] == '\r') body[i] = ' ';
  if (n == 0 || n > maxEntry) {
    say(fd, "400 Bad Request", "an entry has 1 to 1024 bytes\n", keep);
  } else if (addEntry(body, n) != 0) {
    say(fd, "503 Service Unavailable", "the guestbook's store does not answer\n", keep);
  } else if (form) {
    const char *see = "HTTP/1.1 303 See Other\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    sendAll(fd, see, strlen(see));
  } else {
    say(fd, "201 Created", "signed\n", keep);
  }
}

static void entries(int fd, int keep) {
  struct text t = {0};
  puts_(&t, "");
  if (eachEntry(asLine, &t) != 0) say(fd, "503 Service Unavailable", "the guestbook's store does not answer\n", keep);
  else answer(fd, "200 OK", "text/plain", t.p, t.n, keep);
  free(t.p);
}

static void nothing(struct text *t, const char *p, size_t n) {
  (void)t;
  (void)p;
  (void)n;
}

static void route(int fd, const char *method, const char *path, char *body, size_t n, int keep) {
  int get = strcmp(method, "GET") == 0;
  if (get && strcmp(path, "/") == 0) page(fd, keep);
  else if (get && strcmp(path, "/entries") == 0) entries(fd, keep);
  else if (!get && strcmp(method, "POST") == 0 && strcmp(path, "/entries") == 0) sign(fd, body, n, keep);
  else if (get && strcmp(path, "/healthz") == 0) say(fd, "200 OK", "ok\n", keep);
  else if (get && strcmp(path, "/readyz") == 0)
    say(fd, eachEntry(nothing, NULL) == 0 ? "200 OK" : "503 Service Unavailable", VERSION "\n", keep);
  else say(fd, "404 Not Found", "nothing here\n", keep);
}

/* Reads until a whole request stands in the buffer. Returns its length, 0 at the end of the connection.
   An idle connection is closed when the server stops. */
static size_t readRequest(int fd, char *buffer, size_t have, size_t *head, size_t *length) {
  int idle = 0;
  for (;;) {
    buffer[have] = 0;
    char *end = strstr(buffer, "\r\n\r\n");
    if (end) {
      *head = (size_t)(end - buffer) + 4;
      char *l = strcasestr(buffer, "\r\ncontent-length:");
      *length = l && l < end ? strtoul(l + 17, NULL, 10) : 0;
      if (*length > maxRequest || *head + *length > maxRequest) return 0;
      if (have >= *head + *length) return have;
    }
    if (have >= maxRequest) return 0;
    struct pollfd p = {fd, POLLIN, 0};
    int r = poll(&p, 1, 200);
    if (r < 0 && errno != EINTR) return 0;
    if (r <= 0) {
      if ((stopping && have == 0) || ++idle > 150) return 0;
      continue;
    }
    ssize_t got = recv(fd, buffer + have, maxRequest - have, 0);
    if (got <= 0) return 0;
    have += (size_t)got;
  }
}

static void *serve(void *arg) {
  int fd = (int)(long)arg;
  char *buffer = malloc(maxRequest + 1);
  size_t have = 0, head = 0, length = 0;
  int keep = buffer != NULL;
  while (keep && (have = readRequest(fd, buffer, have, &head, &length)) > 0) {
    char method[8] = "", path[256] = "";
    char after = buffer[head + length];
    sscanf(buffer, "%7s %255s", method, path);
    buffer[head - 1] = 0;
    keep = !stopping && !strcasestr(buffer, "connection: close") && !strstr(buffer, "HTTP/1.0\r\n");
    buffer[head + length] = 0;
    route(fd, method, path, buffer + head, length, keep);
    buffer[head + length] = after;
    have -= head + length;
    memmove(buffer, buffer + head + length, have);
  }
  free(buffer);
  shutdown(fd, SHUT_WR);
  close(fd);
  pthread_mutex_lock(&mutex);
  connections--;
  pthread_cond_broadcast(&ended);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void stop(int s) {
  (void)s;
  stopping = 1;
}

static void start(int fd) {
  pthread_mutex_lock(&mutex);
  while (connections >= maxConnections) pthread_cond_wait(&ended, &mutex);
  connections++;
  pthread_mutex_unlock(&mutex);
  pthread_t thread;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 * 1024);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &attr, serve, (void *)(long)fd) != 0) {
    close(fd);
    pthread_mutex_lock(&mutex);
    connections--;
    pthread_mutex_unlock(&mutex);
  }
  pthread_attr_destroy(&attr);
}

int main(void) {
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *at = NULL;
  if (getaddrinfo(NULL, setting("PORT", "8080"), &hints, &at) != 0) return 2;
  int listener = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, at->ai_addr, at->ai_addrlen) != 0 || listen(listener, 1024) != 0) {
    perror("listen");
    return 2;
  }
  fprintf(stderr, "guestbook-web " VERSION " listens on port %s\n", setting("PORT", "8080"));
  /* After the signal: serve who still arrives, until nobody came for 0.3 s, for 5 s at most. */
  time_t last = 0;
  for (int quiet = 0; !stopping || (quiet < 3 && time(NULL) <= last);) {
    if (!stopping) last = time(NULL) + 5;
    struct pollfd p = {listener, POLLIN, 0};
    int ready = poll(&p, 1, 100);
    int fd = ready > 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (fd >= 0) start(fd);
    if (stopping) quiet = fd >= 0 ? 0 : quiet + 1;
  }
  close(listener);
  pthread_mutex_lock(&mutex);
  while (connections > 0) pthread_cond_wait(&ended, &mutex);
  pthread_mutex_unlock(&mutex);
  fprintf(stderr, "guestbook-web: every request is answered, ends\n");
  return 0;
}
