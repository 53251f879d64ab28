package harness

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// clipSeconds is how long a clip is before it begins again.
const clipSeconds = "12"

// PublishClip starts a host that sends a moving test card at 30 frames a second, with sound, which has been encoded
// before, so that it costs no CPU however big it is. size is such as 1920x1080, rate such as 5M. It ends with the test at
// the latest.
func PublishClip(t testing.TB, url, size, rate string) {
	t.Helper()
	clip := filepath.Join(t.TempDir(), "clip.flv")
	out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=r=30:s="+size, "-f", "lavfi", "-i", "sine=r=48000",
		"-t", clipSeconds, "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-sc_threshold", "0", "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-b:a", "128k", clip).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	host := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "flv", url)
	spawn(t, host)
}

// FullCPU keeps every processor busy until the test ends, or stop is called.
func FullCPU(t testing.TB) (stop func()) {
	t.Helper()
	var ends []func()
	for range runtime.NumCPU() {
		ends = append(ends, spawn(t, exec.Command("sh", "-c", "while :; do :; done")))
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// spawn starts a process that ends with the test, or when end is called.
func spawn(t testing.TB, cmd *exec.Cmd) (end func()) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		cmd.Wait() // its status is of no interest: it is killed
		close(gone)
	}()
	end = sync.OnceFunc(func() {
		cmd.Process.Kill()
		<-gone
	})
	t.Cleanup(end)
	return end
}
