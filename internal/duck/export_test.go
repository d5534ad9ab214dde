package duck

import "context"

// CheckReadOnly is [Session.ReadOnly] for tests, which need to know no more.
func (s *Session) CheckReadOnly(ctx context.Context, text string) error {
	_, err := s.ReadOnly(ctx, text)
	return err
}
