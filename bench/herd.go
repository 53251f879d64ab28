package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// herd is many HTTP/1.1 connections that one thread drives through epoll: ten thousand goroutines in
// the client would cost more than the server that is measured. Bodies are dropped in the kernel
// (MSG_TRUNC; tcp(7)), not copied.
type herd struct {
	epoll int
	conns []conn
	buf   []byte
}

// conn is one connection and how far its answer has come.
type conn struct {
	fd     int
	head   []byte // of the answer, until it is complete
	status int
	left   int64  // of the body, or of the chunk
	coded  bool   // the body comes in chunks (RFC 9112 7.1)
	line   []byte // the size line of the next chunk, as far as it is here
	busy   bool   // a request is open
}

// answer is a response that has arrived completely.
type answer struct {
	conn, status int
	at           time.Time
}

// newHerd opens n connections to a loopback address.
func newHerd(address string, n int) (*herd, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	h := &herd{epoll: ep, buf: make([]byte, 16<<10)}
	for i := range n {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err == nil {
			h.conns = append(h.conns, conn{fd: fd})
			err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		}
		if err == nil {
			err = syscall.SetNonblock(fd, true)
		}
		if err == nil {
			err = syscall.EpollCtl(ep, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)})
		}
		if err != nil {
			h.close()
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, n, err)
		}
	}
	return h, nil
}

func (h *herd) close() {
	for _, c := range h.conns {
		syscall.Close(c.fd)
	}
	syscall.Close(h.epoll)
}

// request returns a GET request for a target of c.
func (c *contender) request(target string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip\r\n", target, c.origin)
	c.header.Write(&b)
	return append(b.Bytes(), "\r\n"...)
}

// send sends a request on a connection that has none open.
func (h *herd) send(i int, request []byte) error {
	c := &h.conns[i]
	c.head, c.line, c.status, c.left, c.coded, c.busy = c.head[:0], c.line[:0], 0, 0, false, true
	n, err := syscall.Write(c.fd, request)
	if err == nil && n < len(request) {
		err = errors.New("the kernel took only a part of the request")
	}
	return err
}

// drive hands every answer to f, which may send the next request, until f says that it is done, ctx
// ends, or a connection fails.
func (h *herd) drive(ctx context.Context, f func(answer) (done bool, err error)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]syscall.EpollEvent, 512)
	for {
		n, err := syscall.EpollWait(h.epoll, events, 100)
		if err != nil && err != syscall.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			complete, err := h.read(int(e.Fd))
			if err != nil {
				return fmt.Errorf("connection %d: %w", e.Fd, err)
			}
			if !complete {
				continue
			}
			done, err := f(answer{int(e.Fd), h.conns[e.Fd].status, time.Now()})
			if done || err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// read takes what has arrived, and reports whether that completes the answer.
func (h *herd) read(i int) (complete bool, err error) {
	c := &h.conns[i]
	for {
		var n int
		if c.status != 0 && c.left > 0 {
			n, err = discard(c.fd, c.left)
		} else {
			n, err = syscall.Read(c.fd, h.buf)
		}
		switch {
		case err == syscall.EAGAIN:
			return false, nil
		case err == syscall.EINTR:
			continue
		case err != nil:
			return false, err
		case n == 0:
			return false, errors.New("the server closed the connection")
		case !c.busy:
			return false, errors.New("an answer without a request")
		}
		if c.status != 0 && c.left > 0 {
			c.left -= int64(n)
		} else if err := c.take(h.buf[:n]); err != nil {
			return false, err
		}
		if c.status != 0 && c.left == 0 && !c.coded {
			c.busy = false
			return true, nil
		}
	}
}

// discard drops up to n received bytes and returns how many there were.
func discard(fd int, n int64) (int, error) {
	got, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, uintptr(fd), 0, uintptr(n), syscall.MSG_TRUNC|syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(got), nil
}

// take adds received bytes to the header, or to a chunk's size line.
func (c *conn) take(b []byte) error {
	if c.status == 0 {
		c.head = append(c.head, b...)
		end := bytes.Index(c.head, []byte("\r\n\r\n"))
		if end < 0 {
			return nil
		}
		if err := c.parseHead(string(c.head[:end])); err != nil {
			return err
		}
		b = c.head[end+4:]
	}
	for {
		n := min(int64(len(b)), c.left)
		c.left -= n
		b = b[n:]
		switch {
		case len(b) == 0:
			return nil
		case !c.coded:
			return errors.New("more bytes than Content-Length")
		}
		c.line = append(c.line, b[0])
		b = b[1:]
		if c.line[len(c.line)-1] != '\n' {
			continue
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(c.line)), 16, 32)
		if err != nil {
			return fmt.Errorf("chunk size: %w", err)
		}
		c.line, c.left = c.line[:0], size+2 // with the end of line behind it, or behind the last
		c.coded = size > 0
	}
}

// parseHead reads status and length.
func (c *conn) parseHead(head string) error {
	line, fields, _ := strings.Cut(head, "\r\n")
	f := strings.Fields(line)
	if len(f) < 2 {
		return errors.New("not an HTTP answer")
	}
	c.status, _ = strconv.Atoi(f[1])
	c.left, c.coded = 0, false
	for field := range strings.SplitSeq(fields, "\r\n") {
		name, value, _ := strings.Cut(field, ":")
		value = strings.TrimSpace(value)
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return err
			}
			c.left = n
		case "Transfer-Encoding":
			c.coded = true
		}
	}
	return nil
}
