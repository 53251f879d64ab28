package origin

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowdEnv makes the test binary a crowd of viewers: "address number".
const crowdEnv = "ORIGIN_TEST_CROWD"

func TestMain(m *testing.M) {
	if job := os.Getenv(crowdEnv); job != "" {
		if err := crowdMain(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crowdMain opens the connections and says so. Then it sends each request that it reads on standard input
// over all of them, and says when, in nanoseconds of Unix time, half of the answers were there, and all.
func crowdMain(job string) error {
	addr, number, _ := strings.Cut(job, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, n)
	ins := make([]*bufio.Reader, n)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", addr); err != nil {
			return err
		}
		ins[i] = bufio.NewReaderSize(conns[i], 4<<10)
	}
	fmt.Println("ready")
	at := make([]int64, n)
	for targets := bufio.NewScanner(os.Stdin); targets.Scan(); {
		request := "GET " + targets.Text() + " HTTP/1.1\r\nHost: " + addr + "\r\nAccept-Encoding: gzip\r\n\r\n"
		var wg sync.WaitGroup
		for i, c := range conns {
			if _, err := io.WriteString(c, request); err != nil {
				return err
			}
			wg.Go(func() {
				if err := skipResponse(ins[i], -1); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				at[i] = time.Now().UnixNano()
			})
		}
		wg.Wait()
		slices.Sort(at)
		fmt.Println(at[n/2], at[n-1])
	}
	return nil
}

// crowd is a crowdMain at work.
type crowd struct {
	b   *testing.B
	in  io.Writer
	out *bufio.Scanner
}

func hireCrowd(b *testing.B, addr string, viewers int) *crowd {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crowdEnv+"="+addr+" "+strconv.Itoa(viewers))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	c := &crowd{b: b, in: in, out: bufio.NewScanner(out)}
	if !c.out.Scan() || c.out.Text() != "ready" {
		b.Fatalf("the crowd says %q", c.out.Text())
	}
	return c
}

// ask sends a request for target over each connection.
func (c *crowd) ask(target string) {
	if _, err := io.WriteString(c.in, target+"\n"); err != nil {
		c.b.Fatal(err)
	}
}

// answered returns when half of the crowd had its answer, and when all had.
func (c *crowd) answered() (half, all time.Time) {
	var h, a int64
	if c.out.Scan() {
		fmt.Sscan(c.out.Text(), &h, &a)
	}
	if a == 0 {
		c.b.Fatalf("the crowd says %q", c.out.Text())
	}
	return time.Unix(0, h), time.Unix(0, a)
}
