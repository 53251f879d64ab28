package ffmpeg

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

// The test binary is a program of another kind where its name says so.
const (
	deafName   = "ffmpeg that hears nothing"
	serverName = "a server with an ffmpeg"
)

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case deafName:
		sleepForEver()
	case serverName:
		os.Exit(serveOne(os.Args[1]))
	}
	os.Exit(m.Run())
}

// serveOne is a server with an ffmpeg: it says which process that is, and waits to be killed.
func serveOne(program string) int {
	c, err := Start(program, []string{"-i"}, 1, DefaultNice)
	if err != nil {
		return 1
	}
	fmt.Println(c.PID())
	sleepForEver()
	return 0
}

// sleepForEver does. An empty select is a deadlock, which Go ends.
func sleepForEver() {
	for {
		time.Sleep(time.Hour)
	}
}

// called returns the test binary under another name.
func called(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// TestNoOrphans kills a server (SIGKILL) whose ffmpeg does not even notice that its standard input has ended.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(called(t, serverName), called(t, deafName))
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
