package transcode

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serveOne is a server with an ffmpeg, for TestNoOrphans: it says which process that is, and waits to be killed.
func serveOne(ffmpeg string) int {
	c, err := start(ffmpeg, []string{"-i"}, 1, defaultNice)
	if err != nil {
		return 1
	}
	fmt.Println(c.process.Pid)
	sleepForEver()
	return 0
}

// TestNoOrphans kills a server (SIGKILL) whose ffmpeg does not even notice that its standard input has ended.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	deaf := fake(t, "hears nothing").FFmpeg
	server := fake(t, "is a server").FFmpeg
	cmd := exec.Command(server, deaf)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || !alive(pid) {
		t.Fatalf("process %q is not there: %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("ffmpeg has outlived the server")
		}
	}
}

// alive reports whether the process runs: one that nobody has asked how it ended does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, after, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}
