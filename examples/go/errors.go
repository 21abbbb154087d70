package redlock

// #include <redlock/redlock.h>
import "C"

// Status is an error, one of REDLOCK_E...; errors.Is(err, redlock.ErrHeld) asks for it.
type Status int

const (
	ErrHeld     Status = C.REDLOCK_EHELD     // Somebody else has it.
	ErrNoQuorum Status = C.REDLOCK_ENOQUORUM // Too few nodes can vote.
	ErrExpired  Status = C.REDLOCK_EEXPIRED  // The lease ran out, ...
	ErrLost     Status = C.REDLOCK_ELOST     // ... or is no longer ours: others may have had it.
	ErrClosed   Status = C.REDLOCK_ECLOSED
	ErrInvalid  Status = C.REDLOCK_EINVAL
)

func (status Status) Error() string {
	return C.GoString(C.redlock_strerror(C.int(status)))
}

// Error says what each node has against it, and wraps a Status or the error of the context.
type Error struct {
	Words string
	cause error
}

func (err *Error) Error() string { return err.Words }
func (err *Error) Unwrap() error { return err.cause }

func failure(status C.int, why *C.struct_redlock_error) error {
	if status == 0 {
		return nil
	}
	return &Error{C.GoString(&why.text[0]), Status(status)}
}
