#!/usr/bin/env bash
# node_fixture.sh up|down DIR: a containerd of its own in a network namespace of its own, with a pod
# bridge and two images made from what is installed. Everything lies in DIR and is taken away again.
set -euo pipefail
dir=$2 ns=stt-$(basename "$2" | tail -c 7) here=$(cd "$(dirname "$0")" && pwd)
image() { # NAME ROOT CONFIG [LAYOUT: left there instead of imported]
  local w=${4:-$dir/oci}; local b=$w/blobs/sha256
  rm -rf "$w"; mkdir -p "$b"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$2" -cf "$dir/layer.tar" .
  local diff layer size config csize manifest msize
  diff=$(sha256sum <"$dir/layer.tar" | cut -d' ' -f1); layer=$diff; size=$(stat -c%s "$dir/layer.tar")
  mv "$dir/layer.tar" "$b/$layer"
  printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$3" "$diff" >"$dir/c"
  config=$(sha256sum <"$dir/c" | cut -d' ' -f1); csize=$(stat -c%s "$dir/c"); mv "$dir/c" "$b/$config"
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d}]}' "$config" "$csize" "$layer" "$size" >"$dir/m"
  manifest=$(sha256sum <"$dir/m" | cut -d' ' -f1); msize=$(stat -c%s "$dir/m"); mv "$dir/m" "$b/$manifest"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"annotations":{"io.containerd.image.name":"%s"}}]}' "$manifest" "$msize" "$1" >"$w/index.json"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$w/oci-layout"
  [ -z "${4:-}" ] || return 0
  tar -C "$w" -cf "$dir/image.tar" oci-layout index.json blobs
  ctr -a "$dir/s/c.sock" -n k8s.io images import "$dir/image.tar" >/dev/null
}
case $1 in
up)
  mkdir -p "$dir"/{s,root,cni,pause,bb/bin}
  ip netns add "$ns"
  n() { ip netns exec "$ns" "$@"; }
  n ip link set lo up
  n sysctl -qw net.ipv4.ip_forward=1
  n ip link add cni0 address 02:fe:a5:77:00:01 type bridge; n ip addr add 10.199.1.1/24 dev cni0; n ip link set cni0 up
  cat >"$dir/cni/10-pod.conflist" <<EOF
{"cniVersion":"0.4.0","name":"podnet","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,
 "ipam":{"type":"host-local","dataDir":"$dir/ipam","ranges":[[{"subnet":"10.199.1.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true},"snat":true}]}
EOF
  cat >"$dir/config.toml" <<EOF
version = 2
root = "$dir/root"
state = "$dir/s"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs","io.containerd.snapshotter.v1.aufs","io.containerd.snapshotter.v1.zfs","io.containerd.snapshotter.v1.devmapper","io.containerd.internal.v1.opt","io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$dir/s/c.sock"
[ttrpc]
  address = "$dir/s/t.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.local/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$dir/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "runc"
        SystemdCgroup = false
        Root = "$dir/runc"
EOF
  "$0" daemon "$dir"
  gcc -x c -Os -static -nostdlib -ffreestanding -fno-stack-protector -s -o "$dir/pause/pause" - <<'EOF'
void _start(void) { for (;;) { long r; __asm__ volatile("syscall" : "=a"(r) : "a"(34L) : "rcx", "r11", "memory"); } }
EOF
  image registry.local/pause:1 "$dir/pause" '{"Entrypoint":["/pause"]}'
  cp "$(command -v busybox)" "$dir/bb/bin/busybox"
  for a in sh cat sleep usleep echo test touch tail head httpd env id mkdir rm ls nslookup date grep stat chmod chown wget kill true false mount; do ln -sf busybox "$dir/bb/bin/$a"; done
  mkdir -p "$dir/bb/tmp"; chmod 1777 "$dir/bb/tmp"
  image registry.local/busybox:1 "$dir/bb" '{"Env":["PATH=/bin"],"Cmd":["sh"]}'
  echo "$ns" ;;
extra) # an image that only a registry has
  mkdir -p "$dir/ex"; cp -a "$dir/bb/." "$dir/ex/"; date +%N >"$dir/ex/only-here"
  image registry.local/extra:1 "$dir/ex" '{"Env":["PATH=/bin"],"Cmd":["sh"]}' "$dir/oci-extra" ;;
program) # BINARY: with the libraries it needs, in DIR/program, to be mounted into a container
  mkdir -p "$dir/program/lib"
  cp "$3" "$dir/program/program"
  ldd "$3" | grep -o '/[^ ]*' | while read -r l; do cp -L "$l" "$dir/program/lib/"; done
  cp -L "$(ldd "$3" | grep -o '/[^ ]*ld-linux[^ ]*')" "$dir/program/loader" ;;
daemon)
  setsid nsenter --net="/run/netns/$ns" containerd -c "$dir/config.toml" >>"$dir/containerd.log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  for _ in $(seq 200); do ctr -a "$dir/s/c.sock" version >/dev/null 2>&1 && exit 0; sleep 0.05; done
  tail -5 "$dir/containerd.log" >&2; exit 1 ;;
down)
  for t in $(ctr -a "$dir/s/c.sock" -n k8s.io tasks ls -q 2>/dev/null); do ctr -a "$dir/s/c.sock" -n k8s.io tasks rm -f "$t" >/dev/null 2>&1 || true; done
  [ -f "$dir/pid" ] && kill "$(cat "$dir/pid")" 2>/dev/null || true
  sleep 0.3
  (grep -F " $dir/" /proc/self/mountinfo || true) | cut -d' ' -f5 | sort -r | while read -r m; do umount -l "$m" || true; done
  ip netns del "$ns" 2>/dev/null || true
  for c in /sys/fs/cgroup/*/steer/test; do [ -d "$c" ] && find "$c" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
  rm -rf "$dir" ;;
esac
