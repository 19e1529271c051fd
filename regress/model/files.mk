MODEL_SRCS := regress/model/model.c regress/model/model_check.c
UNIT_TESTS += model_test
model_test_SRCS := regress/model/model_test.c $(MODEL_SRCS)
