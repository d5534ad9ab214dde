-- The statements of a period without those of held calls alone, where it is not known any more which were left behind.
SELECT * FROM burned_is WHERE calls > 0
